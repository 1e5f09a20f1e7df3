/**
 * @file Checks of single values of a caller's. Messages name the option and what is wrong with it,
 * never the value: it may be the user's text.
 */

import { asRerankError, RerankError } from './errors.js';

/** @param {string} message */
export const invalid = (message) => new RerankError('invalid_request', message);

/**
 * Name a value's type, never the value: it may be the user's text.
 * @param {unknown} value
 */
export const kind = (value) =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;

/**
 * Refuse what is no options object, and names that are not known: a misspelt option would
 * otherwise be ignored in silence.
 * @param {unknown} value
 * @param {string[]} names
 * @returns {Record<string, any>} a copy, without the options that are undefined
 */
export function known(value, names) {
  return readable(() => knownOf(value, names), 'The options');
}

/**
 * @param {unknown} value
 * @param {string[]} names
 */
function knownOf(value, names) {
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

/**
 * Read something of the caller's: a getter or a proxy that throws is the caller's mistake.
 * @template T
 * @param {() => T} look
 * @param {string} what
 * @returns {T}
 */
export function readable(look, what) {
  try {
    return look();
  } catch (error) {
    throw asRerankError(
      error,
      'invalid_request',
      `${what} cannot be read: reading threw an error.`,
    );
  }
}

/**
 * @param {string} name
 * @param {unknown} value
 */
export function checkWholeNumber(name, value) {
  if (value === undefined) return;
  if (!Number.isSafeInteger(value) || Number(value) < 1) {
    throw invalid(`${name} must be a whole number of at least 1.`);
  }
}

/**
 * @param {Record<string, any>} options
 * @param {string} name
 */
export function checkFunction(options, name) {
  if (options[name] !== undefined && typeof options[name] !== 'function') {
    throw invalid(`${name} must be a function, not ${kind(options[name])}.`);
  }
}

/**
 * @param {Record<string, any>} options
 * @param {string} name
 */
export function checkSignal(options, name) {
  if (options[name] !== undefined && !(options[name] instanceof AbortSignal)) {
    throw invalid(`${name} must be an AbortSignal, not ${kind(options[name])}.`);
  }
}

/**
 * @param {unknown} value
 * @param {string} name of the option
 */
export function checkBlob(value, name) {
  if (!(value instanceof Blob)) throw invalid(`${name} must be a file, not ${kind(value)}.`);
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
 * @param {any} files a FileList, or an array of files
 * @param {string} name of the option
 * @returns {File[]}
 */
export function filesOf(files, name) {
  const list = files && typeof files.length === 'number' ? Array.from(files) : [];
  if (list.length && list.every((file) => file instanceof File)) return list;
  throw invalid(`${name} must be files, as from an <input type="file"> or a drop.`);
}
