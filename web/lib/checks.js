/**
 * @file Checks of single values of a caller's. Messages name the option and what is wrong with it,
 * never the value: it may be the user's text.
 */

import { RerankError } from './errors.js';

/** @param {string} message */
export const invalid = (message) => new RerankError('invalid_request', message);

/**
 * Name a value's type, never the value: it may be the user's text.
 * @param {unknown} value
 */
export function kind(value) {
  if (value === null) return 'null';
  try {
    return Array.isArray(value) ? 'array' : typeof value;
  } catch {
    return 'revoked proxy'; // the one thing that isArray throws at
  }
}

/**
 * Refuse what is no options object, and names that are not known: a misspelt option would
 * otherwise be ignored in silence.
 * @param {unknown} value
 * @param {string[]} names
 * @returns {Record<string, any>} a copy in which every known name is an own property, so that
 *   nothing is inherited from an Object.prototype that the page has added to
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
  // A Map, or a promise that was not awaited, has no entries: all options would be lost in silence.
  if (Object.prototype.toString.call(value) !== '[object Object]') {
    throw invalid('The options must be a plain object.');
  }
  const options = Object.entries(value).filter(([, option]) => option !== undefined);
  for (const [name] of options) {
    if (!names.includes(name)) {
      throw invalid(`Unknown option '${name.slice(0, 40)}'. Known are: ${names.join(', ')}.`);
    }
  }
  const given = new Map(options);
  return Object.fromEntries(names.map((name) => [name, given.get(name)]));
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
    if (error instanceof RerankError && error.code === 'invalid_request') throw error;
    const message = `${what} cannot be read: reading threw an error.`;
    throw new RerankError('invalid_request', message, { cause: error });
  }
}

/** The most elements an array can have; the length that a proxy tells may be anything. */
const MOST_ELEMENTS = 2 ** 32 - 1;

/**
 * Read an array of the caller's once, place by place: its iterator may be anyone's.
 * @param {any} array
 * @param {string} what
 * @param {(element: any, index: number) => void} look may throw, which ends the reading
 */
export function readEach(array, what, look) {
  const length = readable(() => array.length, what);
  if (!(Number.isSafeInteger(length) && length >= 0 && length <= MOST_ELEMENTS)) {
    throw invalid(`${what} has a length that no array can have.`);
  }
  for (let index = 0; index < length; index++) {
    look(
      readable(() => array[index], `${what}[${index}]`),
      index,
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
 * A signal that follows the caller's. The platform itself tells a real one, of another frame too,
 * from what only looks like one; and what a page has put on the caller's object is not read.
 * @param {Record<string, any>} options
 * @param {string} name
 * @returns {AbortSignal | undefined}
 */
export function signalOf(options, name) {
  if (options[name] === undefined) return undefined;
  try {
    return AbortSignal.any([options[name]]);
  } catch {
    throw invalid(`${name} must be an AbortSignal, not ${kind(options[name])}.`);
  }
}

/**
 * Whether an object is of a class of the platform's, not just like it: only a real one can be
 * handed to a worker.
 * @param {object} prototype
 * @param {string} name of a getter there
 * @returns {(value: unknown) => boolean}
 */
function brandOf(prototype, name) {
  const getter = Object.getOwnPropertyDescriptor(prototype, name)?.get;
  return (value) => {
    try {
      getter?.call(value);
      return true;
    } catch {
      return false;
    }
  };
}

const isBlob = brandOf(Blob.prototype, 'size');
const isFile = brandOf(File.prototype, 'lastModified');

/**
 * @param {unknown} value
 * @param {string} name of the option
 */
export function checkBlob(value, name) {
  if (!isBlob(value)) throw invalid(`${name} must be a file, not ${kind(value)}.`);
}

/**
 * @param {unknown} value
 * @param {string} name of the argument
 * @param {string} what it must be
 * @returns {string}
 */
export function checkModelName(value, name = 'model', what = 'the name of a model') {
  if (typeof value !== 'string') throw invalid(`${name} must be ${what}, not ${kind(value)}.`);
  if (!value.trim()) throw invalid(`${name} must not be blank.`);
  return value;
}

/**
 * @param {unknown} value
 * @returns {string | undefined} without a slash at the end
 */
export function hubOf(value) {
  if (value === undefined) return undefined;
  const wrong = "hub must be the address of a mirror of the hub, such as 'https://hub.example.org'";
  if (typeof value !== 'string') throw invalid(`${wrong}, not ${kind(value)}.`);
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.search || url.hash) {
    throw invalid(`${wrong}: it starts with http:// or https://, and has no ? and no #.`);
  }
  return url.href.replace(/\/+$/, '');
}

/**
 * @param {any} files a FileList, or an array of files
 * @param {string} name of the option
 * @returns {File[]}
 */
export function filesOf(files, name) {
  const wrong = `${name} must be files, as from an <input type="file"> or a drop.`;
  if (typeof files !== 'object' || files === null) throw invalid(wrong);
  /** @type {File[]} */
  const list = [];
  readEach(files, name, (file) => {
    if (!isFile(file)) throw invalid(wrong);
    list.push(file);
  });
  if (!list.length) throw invalid(wrong);
  return list;
}
