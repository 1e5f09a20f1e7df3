/**
 * @file Pure: what a stored record must be to be believed. Storage can be damaged. A record that is
 * not as it was written counts as absent, and a sweep removes it: the file comes from its host again.
 */

import { REQUIRED_PATHS } from './layout.js';

/** What one chunk holds, bytes. The largest that every engine stores (docs/platform.md). */
export const CHUNK_BYTES = 16 * 2 ** 20;

/** @typedef {(value: any) => boolean} Check */

/** @type {Check} */
const isText = (value) => typeof value === 'string';
/** @type {Check} */
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
/** @type {Check} */
const isTime = (value) => isCount(value) && value < 8.64e15; // else no Date can be made of it
/** @type {Check} */
const isAddress = (value) => isText(value) && URL.canParse(value);
/** @type {Check} */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** @type {(check: Check) => Check} */
const orNull = (check) => (value) => value === null || check(value);
/** @type {(check: Check) => Check} */
const listOf = (check) => (value) => Array.isArray(value) && value.every(check);
/** @type {(check: Check) => Check} */
const mapOf = (check) => (value) => isObject(value) && Object.values(value).every(check);
/** @type {(...words: string[]) => Check} */
const oneOf =
  (...words) =>
  (value) =>
    words.includes(value);
/** @type {(shape: Record<string, Check>) => Check} */
const withFields = (shape) => (value) =>
  isObject(value) && Object.entries(shape).every(([name, check]) => check(value[name]));

const isValidator = orNull(
  withFields({ etag: orNull(isText), date: orNull(isText), length: isCount }),
);

const isFileSpec = withFields({
  path: isText,
  url: orNull(isAddress),
  bytes: isCount,
  sha256: orNull(isText),
  validator: isValidator,
});

const hasFileFields = withFields({
  sha256: isText,
  id: isText,
  bytes: isCount,
  chunks: listOf(isText),
  url: orNull(isAddress),
  validator: isValidator,
});

const hasReleaseFields = withFields({
  name: isText,
  id: isText,
  kind: oneOf('catalogue', 'hub', 'folder', 'disk'),
  base: orNull(isAddress),
  revision: orNull(isText),
  files: mapOf(isFileSpec),
  models: mapOf(isText),
  used: mapOf(listOf(isText)),
  storedAt: isTime,
  lastUsed: isTime,
});

const DTYPES = ['fp32', 'fp16', 'q8'];

/** @type {Check} a release whose parts fit together, too */
function isRelease(value) {
  if (!hasReleaseFields(value)) return false;
  const { files, models, used } = value;
  const isKnown = (/** @type {string} */ path) => Object.hasOwn(files, path) && files[path].sha256;
  const isWhole = (/** @type {[string, string[]]} */ [dtype, paths]) =>
    REQUIRED_PATHS.every((path) => paths.includes(path)) &&
    (!models[dtype] || paths.includes(models[dtype])) &&
    paths.every(isKnown);
  return (
    Object.entries(files).every(([path, spec]) => spec.path === path) &&
    [models, used].flatMap(Object.keys).every((dtype) => DTYPES.includes(dtype)) &&
    Object.entries(used).every(isWhole)
  );
}

/** @type {Record<import('./database.js').StoreName, Check>} */
const CHECKS = {
  files: (value) =>
    hasFileFields(value) && value.chunks.length === Math.ceil(value.bytes / CHUNK_BYTES),
  partials: withFields({
    id: isText,
    key: orNull(isText),
    name: isText,
    at: isTime,
    bytes: isCount,
    chunks: listOf(isText),
    validator: isValidator,
  }),
  chunks: (value) => value instanceof ArrayBuffer,
  releases: isRelease,
};

/**
 * @param {import('./database.js').StoreName} store
 * @param {any} record
 * @returns {boolean}
 */
export const isSound = (store, record) => CHECKS[store](record);

/**
 * @param {any} key
 * @returns {boolean} whether a chunk can be found by it: the id of its file, and its place
 */
export const isChunkKey = (key) => Array.isArray(key) && isText(key[0]) && isCount(key[1]);
