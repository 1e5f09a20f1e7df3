/**
 * @file What a caller may ask, checked before anything runs or loads. py_src/webrerank/request.py
 * checks the same rules for Python; tests/cases/requests.json holds both to them. Inputs are read
 * once, never changed.
 */

import {
  checkFunction,
  checkModelName,
  checkSignal,
  checkWholeNumber,
  filesOf,
  invalid,
  kind,
  known,
  readable,
} from './checks.js';

/** @typedef {import('../webrerank.js').RerankOptions} RerankOptions */
/** @typedef {import('../webrerank.js').RerankerOptions} RerankerOptions */

const DEVICES = ['auto', 'wasm', 'webgpu'];
const DTYPES = ['auto', 'q8', 'fp16', 'fp32'];
const MAX_SESSIONS = 16;

const LOAD_OPTIONS = ['model', 'device', 'dtype', 'sessions', 'cache'];
const CALL_OPTIONS = ['onProgress', 'signal'];
const RERANK_OPTIONS = [
  ...['query', 'documents', 'fields', 'topK', 'minScore', 'maxLength', 'longDocuments'],
  ...['abortSignal', 'onResult', 'onFailure', 'stopAtOnce', ...CALL_OPTIONS],
];

/**
 * Check the options of createReranker.
 * @param {unknown} value
 * @returns {RerankerOptions}
 */
export function checkRerankerOptions(value) {
  const options = known(value, [...LOAD_OPTIONS, ...CALL_OPTIONS]);
  checkLoadOptions(options);
  checkFunction(options, 'onProgress');
  checkSignal(options, 'signal');
  // Files are read once here: a FileList changes with its input element.
  const { model } = options;
  return typeof model === 'object' ? { ...options, model: filesOf(model, 'model') } : options;
}

/**
 * Check the options of models.prefetch.
 * @param {unknown} value
 * @returns {import('../webrerank.js').PrefetchOptions}
 */
export function checkPrefetchOptions(value) {
  const options = known(value, ['device', 'dtype', ...CALL_OPTIONS]);
  return checkRerankerOptions(options);
}

/**
 * Split the options of the one-call rerank() into those of its two steps, checked.
 * @param {unknown} value
 */
export function splitOneCallOptions(value) {
  const options = known(value, [...LOAD_OPTIONS, ...RERANK_OPTIONS]);
  checkLoadOptions(options);
  const names = Object.entries(options);
  return {
    load: Object.fromEntries(names.filter(([name]) => LOAD_OPTIONS.includes(name))),
    request: checkRerankOptions(
      Object.fromEntries(names.filter(([name]) => !LOAD_OPTIONS.includes(name))),
    ),
  };
}

/**
 * Check the options of rerank and read the documents' texts.
 * @param {unknown} value
 */
export function checkRerankOptions(value) {
  const options = known(value, RERANK_OPTIONS);
  const { query, documents, fields, topK, minScore, maxLength } = options;
  if (typeof query !== 'string') throw invalid(`query must be a string, not ${kind(query)}.`);
  if (!query.trim()) throw invalid('query must not be blank.');
  if (options.longDocuments !== undefined && options.longDocuments !== 'truncate') {
    throw invalid("longDocuments: only 'truncate' is available in this version; leave it out.");
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
  for (const name of ['signal', 'abortSignal']) checkSignal(options, name);
  if (options.signal && options.abortSignal) throw invalid('Give signal or abortSignal, not both.');
  const { kept, texts } = readDocuments(documents, names);
  return {
    documents: kept,
    payload: {
      query,
      texts,
      topK,
      minScore,
      maxLength,
    },
    signal: /** @type {AbortSignal | undefined} */ (options.signal ?? options.abortSignal),
    failSoft: onFailure === 'input-order',
    stopAtOnce,
    onProgress: options.onProgress,
    onResult: options.onResult,
  };
}

/** @param {Record<string, any>} options */
function checkLoadOptions({ model, device, dtype, sessions, cache = true }) {
  if (typeof cache !== 'boolean') throw invalid(`cache must be true or false, not ${kind(cache)}.`);
  if (typeof model === 'object') filesOf(model, 'model');
  else if (model !== undefined) checkModelName(model);
  if (device !== undefined && !DEVICES.includes(device)) {
    throw invalid(`device must be one of ${DEVICES.join(', ')}.`);
  }
  if (dtype !== undefined && !DTYPES.includes(dtype)) {
    throw invalid(`dtype must be one of ${DTYPES.join(', ')}.`);
  }
  checkWholeNumber('sessions', sessions);
  if (sessions > MAX_SESSIONS) throw invalid(`sessions must be at most ${MAX_SESSIONS}.`);
}

/**
 * @param {unknown} fields
 * @returns {string[] | undefined}
 */
function checkFields(fields) {
  if (fields === undefined) return undefined;
  const names = readable(() => (Array.isArray(fields) ? Array.from(fields) : []), 'fields');
  if (names.length && names.every((name) => typeof name === 'string' && name)) return names;
  throw invalid('fields must be an array of at least one property name.');
}

/**
 * Read each document once: a getter or a proxy may answer otherwise the next time.
 * @param {any} documents
 * @param {string[]} [fields]
 */
function readDocuments(documents, fields) {
  const length = readable(() => documents.length, 'documents');
  const kept = [];
  const texts = [];
  for (let index = 0; index < length; index++) {
    const where = `documents[${index}]`;
    const document = readable(() => documents[index], where);
    kept.push(document);
    texts.push(readable(() => textOf(document, where, fields), where));
  }
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
  throw invalid(`${where} has no text: it needs a property ${wanted}.`);
}
