/**
 * @file Stored files: each is known by the sha256 of its content, so that two models, or the same
 * model from two hosts, share what is the same. A file counts as present only when its record is,
 * and that is written last.
 */

import { change, read, readAll } from './database.js';
import { isSound } from './records.js';
import { compare } from './validators.js';

/** @typedef {import('./sources.js').FileSpec} FileSpec */
/** @typedef {import('./validators.js').Validator} Validator */

/**
 * @typedef {object} StoredFile
 * @property {string} sha256 of the whole, hex
 * @property {string} id of its chunks
 * @property {number} bytes
 * @property {string[]} chunks sha256 of each, hex
 * @property {string | null} url where it was downloaded
 * @property {Validator | null} validator which version was there
 */

/**
 * How far a download is; also what `models.add` has copied so far.
 * @typedef {object} Partial
 * @property {string} id of its chunks
 * @property {string | null} key what is downloaded, see keyOf; null if nobody can go on with it
 * @property {string} name of the model it is for
 * @property {number} at when it went on last, milliseconds since 1970
 * @property {number} bytes of the whole file; 0 if the host did not say
 * @property {string[]} chunks sha256 of each, hex
 * @property {Validator | null} validator
 */

/**
 * What says that two downloads are of the same file: the hash, else the address.
 * @param {FileSpec} spec
 */
export const keyOf = ({ sha256, url }) => sha256 ?? url;

/** @returns {string} for chunks; crypto.randomUUID is missing on plain http */
export const newId = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

/** @param {string} id */
export const chunksOfId = (id) => IDBKeyRange.bound([id, 0], [id, Infinity]);

/**
 * @param {string} id
 * @param {number} index
 * @returns {Promise<ArrayBuffer | undefined>}
 */
export const readChunk = (id, index) => read('chunks', [id, index]);

/**
 * Keep a chunk, and with it how far the download is.
 * @param {Partial} partial
 * @param {number} index
 * @param {ArrayBuffer} bytes
 */
export function writeChunk(partial, index, bytes) {
  return change(['partials', 'chunks'], async (tx) => {
    await tx.objectStore('chunks').put(bytes, [partial.id, index]);
    await tx.objectStore('partials').put(partial);
  });
}

/**
 * Put a chunk of a whole file in its place again.
 * @param {string} id
 * @param {number} index
 * @param {ArrayBuffer} bytes
 */
export const writeChunkAgain = (id, index, bytes) =>
  change(['chunks'], (tx) => tx.objectStore('chunks').put(bytes, [id, index]));

/**
 * The commit: from now on the file counts as present. If another tab has brought the same content
 * meanwhile, one of the two stays.
 * @param {StoredFile} file
 */
export function commitFile(file) {
  return change(['files', 'partials', 'chunks'], async (tx) => {
    const [files, chunks] = [tx.objectStore('files'), tx.objectStore('chunks')];
    await tx.objectStore('partials').delete(file.id);
    const known = await files.get(file.sha256);
    const before = isSound('files', known) ? known : null;
    const isWhole = before && (await chunks.count(chunksOfId(before.id))) === before.chunks.length;
    if (isWhole && before.id !== file.id) return chunks.delete(chunksOfId(file.id));
    if (before && before.id !== file.id) await chunks.delete(chunksOfId(before.id));
    return files.put(file);
  });
}

/**
 * Forget a stored file.
 * @param {StoredFile} file
 */
export function removeFile({ sha256, id }) {
  return change(['files', 'chunks'], async (tx) => {
    await tx.objectStore('files').delete(sha256);
    await tx.objectStore('chunks').delete(chunksOfId(id));
  });
}

/**
 * Forget a download that is not finished.
 * @param {string} id
 */
export function removePartial(id) {
  return change(['partials', 'chunks'], async (tx) => {
    await tx.objectStore('partials').delete(id);
    await tx.objectStore('chunks').delete(chunksOfId(id));
  });
}

/**
 * What an earlier attempt left of a file.
 * @param {FileSpec} spec
 * @returns {Promise<Partial | undefined>}
 */
export async function findPartial(spec) {
  /** @type {Partial[]} */
  const partials = await readAll('partials');
  return partials.find(({ key }) => key !== null && key === keyOf(spec));
}

/**
 * The sha256 of a file whose content is not known, if that very version of it is stored: another
 * tab may just have brought it.
 * @param {FileSpec} spec
 * @returns {Promise<string | null>}
 */
export async function findByAddress({ url, validator }) {
  /** @type {StoredFile[]} */
  const files = await readAll('files');
  const same = (/** @type {StoredFile} */ file) =>
    file.url === url && compare(file.validator, validator) === 'same';
  return files.find(same)?.sha256 ?? null;
}
