/**
 * @file What a caller may ask, checked before anything runs or loads. py_src/webrerank/request.py
 * checks the same rules for Python; tests/cases/requests.json holds both to them. Inputs are read
 * once, never changed.
 */

import {
  checkFunction,
  checkModelName,
  checkWholeNumber,
  filesOf,
  hubOf,
  invalid,
  kind,
  known,
  readable,
  readEach,
  signalOf,
} from './checks.js';

/** @typedef {import('../webrerank.js').RerankOptions} RerankOptions */
/** @typedef {import('../webrerank.js').RerankerOptions} RerankerOptions */

const DEVICES = ['auto', 'wasm', 'webgpu'];
const ENGINES = ['auto', 'onnxruntime'];
const DTYPES = ['auto', 'q8', 'fp16', 'fp32'];
const MODEL_IS = 'a name, the URL of a folder, or files';
const MAX_SESSIONS = 16;

const LOAD_OPTIONS = ['model', 'hub', 'device', 'dtype', 'engine', 'sessions', 'cache'];
const CALL_OPTIONS = ['onProgress', 'signal'];
const RERANK_OPTIONS = [
  ...['query', 'documents', 'fields', 'topK', 'minScore', 'maxLength', 'longDocuments'],
  ...['abortSignal', 'onResult', 'onFailure', 'stopAtOnce', ...CALL_OPTIONS],
];

/** Options that cannot be left out. */
const REQUIRED = ['query', 'documents'];

/**
 * Check the options of createReranker.
 * @param {unknown} value
 * @returns {RerankerOptions}
 */
export function checkRerankerOptions(value) {
  const options = known(value, [...LOAD_OPTIONS, ...CALL_OPTIONS]);
  checkFunction(options, 'onProgress');
  return { ...checkLoadOptions(options), signal: signalOf(options, 'signal') };
}

/**
 * Check the options of models.prefetch.
 * @param {unknown} value
 * @returns {import('../webrerank.js').PrefetchOptions}
 */
export function checkPrefetchOptions(value) {
  return checkRerankerOptions(known(value, ['hub', 'device', 'dtype', ...CALL_OPTIONS]));
}

/**
 * Check the options of models.update.
 * @param {unknown} value
 * @returns {import('../webrerank.js').UpdateOptions}
 */
export function checkUpdateOptions(value) {
  return checkRerankerOptions(known(value, ['hub', ...CALL_OPTIONS]));
}

/**
 * Check the options of models.import.
 * @param {unknown} value
 * @returns {{ name?: string }}
 */
export function checkImportOptions(value) {
  const { name } = known(value, ['name']);
  return { name: name === undefined ? undefined : checkModelName(name, 'name') };
}

/**
 * Split the options of the one-call rerank() into those of its two steps, checked.
 * @param {unknown} value
 */
export function splitOneCallOptions(value) {
  const options = known(value, [...LOAD_OPTIONS, ...RERANK_OPTIONS], REQUIRED);
  /** @param {string[]} names */
  const only = (names) => Object.fromEntries(names.map((name) => [name, options[name]]));
  const load = checkLoadOptions(only(LOAD_OPTIONS));
  return { load, request: checkRerankOptions(only(RERANK_OPTIONS)) };
}

/**
 * Take the signal out of the options of rerank.
 * @param {unknown} value
 */
export function splitSignal(value) {
  const { signal, abortSignal, ...rest } = known(value, RERANK_OPTIONS, REQUIRED);
  return { signal: eitherSignal({ signal, abortSignal }), rest };
}

/**
 * Check the options of rerank and read the documents' texts.
 * @param {unknown} value
 */
export function checkRerankOptions(value) {
  const options = known(value, RERANK_OPTIONS, REQUIRED);
  const { query, documents, fields, topK, minScore, maxLength } = options;
  if (typeof query !== 'string') throw invalid(`query must be a string, not ${kind(query)}.`);
  if (!query.trim()) throw invalid('query must not be blank.');
  if (options.longDocuments !== undefined && options.longDocuments !== 'truncate') {
    throw invalid("longDocuments must be 'truncate', the only way in this version, or left out.");
  }
  const { onFailure = 'throw' } = options;
  if (onFailure !== 'throw' && onFailure !== 'input-order') {
    throw invalid("onFailure must be 'throw' or 'input-order'.");
  }
  const { stopAtOnce = false } = options;
  if (typeof stopAtOnce !== 'boolean') throw invalid('stopAtOnce must be true or false.');
  const names = checkFields(fields);
  if (!readable(() => Array.isArray(documents), 'documents')) {
    throw invalid(`documents must be an array of strings or objects, not ${kind(documents)}.`);
  }
  if (minScore !== undefined && !(typeof minScore === 'number' && minScore >= 0 && minScore <= 1)) {
    throw invalid('minScore must be a number from 0 to 1.');
  }
  checkWholeNumber('topK', topK);
  checkWholeNumber('maxLength', maxLength);
  for (const name of ['onProgress', 'onResult']) checkFunction(options, name);
  const signal = eitherSignal(options);
  const { kept, texts } = readDocuments(documents, names);
  return {
    documents: kept,
    payload: { query, texts, topK, minScore, maxLength },
    signal,
    failSoft: onFailure === 'input-order',
    stopAtOnce,
    onProgress: options.onProgress,
    onResult: options.onResult,
  };
}

/** @param {Record<string, any>} options */
function eitherSignal(options) {
  const [signal, abortSignal] = ['signal', 'abortSignal'].map((name) => signalOf(options, name));
  if (signal && abortSignal)
    throw invalid('signal and abortSignal are two names of one option. Give one of them.');
  return signal ?? abortSignal;
}

/**
 * @param {Record<string, any>} options
 * @returns {RerankerOptions} a copy; files are in an array of our own, as a FileList changes with
 *   its input element
 */
function checkLoadOptions(options) {
  const { model, device, dtype, engine, sessions, cache = true } = options;
  if (typeof cache !== 'boolean') throw invalid(`cache must be true or false, not ${kind(cache)}.`);
  if (device !== undefined && !DEVICES.includes(device)) {
    throw invalid(`device must be one of ${DEVICES.join(', ')}.`);
  }
  if (dtype !== undefined && !DTYPES.includes(dtype)) {
    throw invalid(`dtype must be one of ${DTYPES.join(', ')}.`);
  }
  if (engine !== undefined && !ENGINES.includes(engine)) {
    throw invalid(`engine must be one of ${ENGINES.join(', ')}.`);
  }
  checkWholeNumber('sessions', sessions);
  if (sessions > MAX_SESSIONS) throw invalid(`sessions must be at most ${MAX_SESSIONS}.`);
  const checked = { ...options, hub: hubOf(options.hub) };
  if (typeof model === 'object') return { ...checked, model: filesOf(model, 'model') };
  if (model !== undefined) checkModelName(model, 'model', MODEL_IS);
  return checked;
}

/**
 * @param {unknown} fields
 * @returns {string[] | undefined}
 */
function checkFields(fields) {
  if (fields === undefined) return undefined;
  const wrong = 'fields must be an array of at least one property name.';
  if (!readable(() => Array.isArray(fields), 'fields')) throw invalid(wrong);
  /** @type {string[]} */
  const names = [];
  readEach(fields, 'fields', (name) => {
    if (typeof name !== 'string' || !name) throw invalid(wrong);
    names.push(name);
  });
  if (!names.length) throw invalid(wrong);
  return names;
}

/**
 * Read each document once: a getter or a proxy may answer otherwise the next time.
 * @param {any} documents
 * @param {string[]} [fields]
 */
function readDocuments(documents, fields) {
  /** @type {any[]} */
  const kept = [];
  /** @type {string[]} */
  const texts = [];
  readEach(documents, 'documents', (document, index) => {
    const where = `documents[${index}]`;
    kept.push(document);
    texts.push(readable(() => textOf(document, where, fields), where));
  });
  return { kept, texts };
}

/**
 * @param {any} document
 * @param {string} where
 * @param {string[]} [fields]
 */
function textOf(document, where, fields = ['text']) {
  if (typeof document === 'string') return document;
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw invalid(`${where} must be a string or an object with text, not ${kind(document)}.`);
  }
  const parts = [];
  for (const name of fields) {
    const value = readable(() => document[name], `${where}.${name}`);
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string') {
      throw invalid(`${where}.${name} must be a string, not ${kind(value)}.`);
    }
    parts.push(value);
  }
  if (parts.length) return parts.join(' ');
  const wanted = fields.map((name) => `'${name}'`).join(' or ');
  throw invalid(`${where} has no text: it must have a property ${wanted}.`);
}
