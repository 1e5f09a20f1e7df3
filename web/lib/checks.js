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
 * otherwise be ignored in silence. An option that is null counts as left out.
 * @param {unknown} value
 * @param {string[]} names
 * @param {string[]} [required] in which null is a mistake, to be told as it is
 * @returns {Record<string, any>} a copy in which every known name is an own property, so that
 *   nothing is inherited from an Object.prototype that the page has added to
 */
export function known(value, names, required = []) {
  return readable(() => knownOf(value, names, required), 'The options');
}

/**
 * @param {unknown} value
 * @param {string[]} names
 * @param {string[]} required
 */
function knownOf(value, names, required) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`The options must be an object, not ${kind(value)}.`);
  }
  // A Map, or a promise that was not awaited, has no entries: all options would be lost in silence.
  if (Object.prototype.toString.call(value) !== '[object Object]') {
    throw invalid('The options must be a plain object, or an instance of a class of your own.');
  }
  /** @type {Map<string, unknown>} */
  const given = new Map();
  for (const name of namesOf(value, names)) {
    const option = /** @type {any} */ (value)[name];
    if (option === undefined || (option === null && !required.includes(name))) continue;
    if (!names.includes(name)) {
      throw invalid(
        `Unknown option '${name.slice(0, 40)}': an option must be one of ${names.join(', ')}.`,
      );
    }
    given.set(name, option);
  }
  return Object.fromEntries(names.map((name) => [name, given.get(name)]));
}

/** A longer chain of prototypes is a proxy that never ends. */
const MOST_PROTOTYPES = 50;

/**
 * The names that an object gives options under, its own and those of its classes: of these,
 * getters and what can be listed. Methods count only if there is such an option.
 * @param {object} value
 * @param {string[]} options
 */
function namesOf(value, options) {
  /** @type {Set<string>} */
  const names = new Set();
  /** @type {object | null} */
  let owner = value;
  for (let depth = 0; owner && (owner === value || !isRoot(owner)); depth++) {
    if (depth > MOST_PROTOTYPES) throw invalid('The options must be a plain object.');
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      const listed = property.enumerable || Object.hasOwn(property, 'get');
      if (listed || options.includes(name)) names.add(name);
    }
    owner = Object.getPrototypeOf(owner);
  }
  return names;
}

/**
 * Whether this is an Object.prototype, of this frame or of another: what a page has added to it is
 * no option.
 * @param {object} value
 */
const isRoot = (value) =>
  Object.getPrototypeOf(value) === null && Object.hasOwn(value, 'hasOwnProperty');

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
    const message = `${what} must be readable: reading threw an error.`;
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
    throw invalid(`${what} must be an array: it has a length that no array can have.`);
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

// Looked up when it is needed: the library is also imported where there is no File.
const isBlob = (/** @type {unknown} */ value) => brandOf(Blob.prototype, 'size')(value);
const isFile = (/** @type {unknown} */ value) => brandOf(File.prototype, 'lastModified')(value);

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
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.search || url.hash) {
    throw invalid(
      "hub must be the address of a mirror, such as 'https://hub.example.org': it starts with " +
        'http:// or https://, and has no ? and no #.',
    );
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
