/**
 * @file What a caller may ask, checked before anything runs or loads. py_src/webrerank/request.py
 * checks the same rules for Python; tests/cases/requests.json holds both to them. Inputs are read
 * once, never changed.
 */

import { RerankError } from './errors.js';

/** @typedef {import('../webrerank.js').RerankOptions} RerankOptions */
/** @typedef {import('../webrerank.js').RerankerOptions} RerankerOptions */

const DEVICES = ['auto', 'wasm', 'webgpu'];
const DTYPES = ['auto', 'q8', 'fp16', 'fp32'];
const MAX_SESSIONS = 16;

/** @param {string} message */
const invalid = (message) => new RerankError('invalid_request', message);

/**
 * Name a value's type, never the value: it may be the user's text.
 * @param {unknown} value
 */
const kind = (value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

const LOAD_OPTIONS = ['model', 'device', 'dtype', 'sessions', 'cache'];
const CALL_OPTIONS = ['onProgress', 'signal'];
const RERANK_OPTIONS = [
  ...['query', 'documents', 'fields', 'topK', 'minScore', 'maxLength', 'longDocuments'],
  ...['abortSignal', 'onResult', 'onFailure', ...CALL_OPTIONS],
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
  return checkRerankerOptions(known(value, ['device', 'dtype', ...CALL_OPTIONS]));
}

/**
 * @param {unknown} model
 * @returns {string}
 */
export function checkModelName(model) {
  if (typeof model === 'string' && model.trim()) return model;
  throw invalid(`model must be a name, the URL of a folder, or files, not ${kind(model)}.`);
}

/**
 * @param {unknown} value
 * @param {string} name of the option
 */
export function checkBlob(value, name) {
  if (!(value instanceof Blob)) throw invalid(`${name} must be a file, not ${kind(value)}.`);
}

/**
 * @param {any} files a FileList, or an array of files
 * @param {string} name of the option
 * @returns {File[]}
 */
export function filesOf(files, name) {
  const list = files && typeof files.length === 'number' ? Array.from(files) : [];
  if (list.length && list.every((file) => file instanceof File)) return list;
  throw invalid(`${name} must be files, as from an <input type="file"> or a drop.`);
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
  checkFields(fields);
  if (!Array.isArray(documents)) {
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
  const kept = Array.from(documents);
  return {
    documents: kept,
    payload: {
      query,
      texts: kept.map((document, index) => textOf(document, index, fields)),
      topK,
      minScore,
      maxLength,
    },
    signal: /** @type {AbortSignal | undefined} */ (options.signal ?? options.abortSignal),
    failSoft: onFailure === 'input-order',
    onProgress: options.onProgress,
    onResult: options.onResult,
  };
}

/**
 * Refuse what is no options object, and names that are not known: a misspelt option would
 * otherwise be ignored in silence.
 * @param {unknown} value
 * @param {string[]} names
 * @returns {Record<string, any>} a copy, without the options that are undefined
 */
function known(value, names) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`The options must be an object, not ${kind(value)}.`);
  }
  const options = Object.entries(value).filter(([, option]) => option !== undefined);
  for (const [name] of options) {
    if (!names.includes(name)) {
      throw invalid(`Unknown option '${name.slice(0, 40)}'. Known are: ${names.join(', ')}.`);
    }
  }
  return Object.fromEntries(options);
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

/** @param {unknown} fields */
function checkFields(fields) {
  if (fields === undefined) return;
  const valid = Array.isArray(fields) && fields.length > 0;
  if (!valid || !fields.every((name) => typeof name === 'string' && name)) {
    throw invalid('fields must be an array of at least one property name.');
  }
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function checkWholeNumber(name, value) {
  if (value === undefined) return;
  if (!Number.isSafeInteger(value) || Number(value) < 1) {
    throw invalid(`${name} must be a whole number of at least 1.`);
  }
}

/**
 * @param {Record<string, any>} options
 * @param {string} name
 */
function checkFunction(options, name) {
  if (options[name] !== undefined && typeof options[name] !== 'function') {
    throw invalid(`${name} must be a function, not ${kind(options[name])}.`);
  }
}

/**
 * @param {Record<string, any>} options
 * @param {string} name
 */
function checkSignal(options, name) {
  if (options[name] !== undefined && !(options[name] instanceof AbortSignal)) {
    throw invalid(`${name} must be an AbortSignal, not ${kind(options[name])}.`);
  }
}

/**
 * @param {unknown} document
 * @param {number} index
 * @param {string[]} [fields]
 */
function textOf(document, index, fields = ['text']) {
  if (typeof document === 'string') return document;
  const where = `documents[${index}]`;
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw invalid(`${where} must be a string or an object with text, not ${kind(document)}.`);
  }
  const parts = [];
  for (const name of fields) {
    const value = read(document, name, where);
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

/**
 * Read a property once; a getter that throws is the caller's mistake.
 * @param {any} document
 * @param {string} name
 * @param {string} where
 */
function read(document, name, where) {
  try {
    return document[name];
  } catch (cause) {
    throw new RerankError('invalid_request', `${where}.${name} cannot be read.`, { cause });
  }
}
