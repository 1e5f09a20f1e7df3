/** @file Files from disk, kept under a name. A name that stands for a place is not theirs to take. */

import { RerankError } from '../errors.js';
import { findInCatalogue } from './catalogue.js';
import { diskRelease } from './disk.js';
import { commitFile, newId, writeChunk } from './files.js';
import { createHasher, sha256 } from './hash.js';
import { HUB } from './names.js';
import { openRelease } from './open-release.js';
import { CHUNK_BYTES } from './records.js';
import { commitRelease, usedPaths } from './releases.js';

/** @typedef {import('./sources.js').Release} Release */
/** @typedef {import('../../webrerank.js').Dtype} Dtype */

/**
 * Keep files from disk under a name.
 * @param {string} name
 * @param {Blob[]} blobs
 * @param {AbortSignal} signal
 * @param {string} renaming how another name is given
 */
export async function addModel(name, blobs, signal, renaming = 'models.add(name, files)') {
  const given = await withNeededFiles(diskRelease(name, blobs), signal);
  const entry = await findInCatalogue(name, HUB, signal);
  const release = await withHashes(given, signal);
  const known = entry ? asInCatalogue(release, entry, renaming) : release;
  for (const path of usedPaths(release)) {
    const blob = /** @type {Blob} */ (given.files[path].blob);
    const hash = release.files[path].sha256;
    if (await storeBlob(blob, hash ?? '', name, signal)) continue;
    throw new RerankError(
      'model_load',
      'There is not enough room on this device to keep the model. Remove another, or use its ' +
        'files without keeping them.',
      { retryable: false },
    );
  }
  if (await commitRelease(known)) return;
  throw new RerankError('model_load', 'The browser did not keep the model. Try again.');
}

/**
 * Find out which files each precision needs; what is in no use is not kept.
 * @param {Release} release
 * @param {AbortSignal} signal
 */
async function withNeededFiles(release, signal) {
  const options = { signal, onProgress: () => {}, hurry: false, recheck: async () => null };
  for (const dtype of /** @type {Dtype[]} */ (Object.keys(release.models))) {
    release = (await openRelease(release, dtype, options)).release;
  }
  return release;
}

/**
 * @param {Release} release
 * @param {AbortSignal} signal
 * @returns {Promise<Release>} as it is kept: what is not used is not listed either
 */
async function withHashes(release, signal) {
  const files = [];
  for (const path of usedPaths(release)) {
    const { blob, ...spec } = release.files[path];
    files.push([path, { ...spec, sha256: await hashOf(/** @type {Blob} */ (blob), signal) }]);
  }
  return { ...release, files: Object.fromEntries(files) };
}

/**
 * @param {Blob} blob
 * @param {AbortSignal} signal
 */
async function hashOf(blob, signal) {
  const hasher = await createHasher();
  for (let start = 0; start < blob.size; start += CHUNK_BYTES) {
    signal.throwIfAborted();
    hasher.update(new Uint8Array(await blob.slice(start, start + CHUNK_BYTES).arrayBuffer()));
  }
  return hasher.digest();
}

/**
 * Files with the name of a model of the catalogue must be that model; then a part that is lost can
 * be had from its source again.
 * @param {Release} release
 * @param {Release} entry
 * @param {string} renaming
 * @returns {Release}
 */
function asInCatalogue(release, entry, renaming) {
  const weights = Object.values(release.models);
  const wrong = usedPaths(release).filter((path) => {
    const [given, listed] = [release.files[path], entry.files[path]];
    if (listed?.sha256) return listed.sha256 !== given.sha256;
    // Of small files no hash may be known; those are fetched anew at the next load with network.
    return !listed || weights.includes(path) || (listed.bytes && listed.bytes !== given.bytes);
  });
  if (wrong.length) {
    throw new RerankError(
      'invalid_request',
      `The name must be another: it belongs to a model of the catalogue, and these files are not ` +
        `known to be that model (${wrong.slice(0, 3).join(', ')}). Choose another name: ${renaming}.`,
    );
  }
  const unsure = { etag: 'given', date: null, length: 0 };
  const files = usedPaths(release).map((path) => {
    const { bytes, sha256: hash } = release.files[path];
    const listed = entry.files[path];
    const validator = listed.sha256 ? listed.validator : unsure;
    return [path, { ...listed, bytes, sha256: hash, validator }];
  });
  return { ...entry, files: { ...entry.files, ...Object.fromEntries(files) }, used: release.used };
}

/**
 * @param {Blob} blob
 * @param {string} hash
 * @param {string} name of the model
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>} false if there is no room
 */
async function storeBlob(blob, hash, name, signal) {
  /** @type {string[]} */
  const chunks = [];
  const from = { id: newId(), key: null, name, at: Date.now(), bytes: blob.size, validator: null };
  for (let start = 0; start < blob.size; start += CHUNK_BYTES) {
    signal.throwIfAborted();
    const bytes = await blob.slice(start, start + CHUNK_BYTES).arrayBuffer();
    chunks.push(await sha256(bytes));
    if (!(await writeChunk({ ...from, chunks }, chunks.length - 1, bytes))) return false;
  }
  const { id, bytes } = from;
  return commitFile({ sha256: hash, id, bytes, chunks, url: null, validator: null });
}
