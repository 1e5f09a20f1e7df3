/**
 * @file One file from the network into the database, chunk by chunk, so that a lost connection or
 * a closed tab costs one chunk at most.
 */

import { RerankError } from '../errors.js';
import { CHUNK_BYTES, commitFile, read, readChunk, removeFile, writeChunk } from './database.js';
import { gone, integrity, Spoilt, unreachable } from './download-errors.js';
import { createHasher, sha256 } from './hash.js';
import {
  announcedBytes,
  checkResponse,
  chunksOf,
  continues,
  lengthOnTheWire,
  rangeHeaders,
  validatorOf,
} from './http-range.js';
import { withRetries } from './retry.js';

/** @typedef {import('./sources.js').FileSpec} FileSpec */
/** @typedef {import('./database.js').Manifest} Manifest */

/**
 * @typedef {object} DownloadOptions
 * @property {AbortSignal} signal
 * @property {(loaded: number, total: number) => void} onBytes
 * @property {() => void} onVerify
 */

/** @typedef {DownloadOptions & { spec: FileSpec }} Download */
/** @typedef {{ manifest: Manifest, inMemory: Map<number, Blob> }} State chunks not kept are in memory */

/**
 * Download a file, from where the last attempt stopped.
 * @param {FileSpec} spec
 * @param {DownloadOptions} options
 * @returns {Promise<{ blob: Blob, saved: boolean }>}
 * @throws {RerankError} 'model_load' or 'model_integrity'
 */
export async function download(spec, options) {
  if (!spec.url) throw gone(spec);
  const job = { spec, ...options };
  /** @type {State} */
  const state = { manifest: await resume(spec.key), inMemory: new Map() };
  const resumed = state.manifest.chunks.length > 0;
  let blob;
  try {
    await fetchAll(job, state);
    if (spec.sha256) job.onVerify();
    blob = await assemble(state);
    await verify(job, blob);
  } catch (error) {
    if (!(error instanceof RerankError && error.cause instanceof Spoilt)) throw error;
    await removeFile(spec.key);
    if (!resumed) throw error;
    return download(spec, options); // what an earlier visit left may be what is wrong
  }
  const saved = !state.inMemory.size && (await commitFile(state.manifest));
  if (!saved) await removeFile(spec.key); // half a file is of no use to anyone
  return { blob, saved };
}

/**
 * Keep a file from disk.
 * @param {FileSpec} spec with its blob
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>} false if there is no room
 */
export async function storeBlob({ key, blob = new Blob() }, signal) {
  /** @type {Manifest} */
  let manifest = { key, bytes: blob.size, chunks: [], validator: null };
  await removeFile(key);
  for (let start = 0; start < blob.size; start += CHUNK_BYTES) {
    signal.throwIfAborted();
    const bytes = await blob.slice(start, start + CHUNK_BYTES).arrayBuffer();
    const index = manifest.chunks.length;
    manifest = { ...manifest, chunks: [...manifest.chunks, await sha256(bytes)] };
    if (!(await writeChunk(manifest, index, bytes))) return false;
  }
  return commitFile(manifest);
}

/**
 * What an earlier attempt left. Chunks that the database lost since are fetched again.
 * @param {string} key
 * @returns {Promise<Manifest>}
 */
async function resume(key) {
  /** @type {Manifest} */
  const partial = (await read('partials', key)) ?? { key, bytes: 0, chunks: [], validator: null };
  for (const [index, hash] of partial.chunks.entries()) {
    const bytes = await readChunk(key, index);
    const end = index * CHUNK_BYTES + (bytes?.byteLength ?? 0);
    const whole = bytes?.byteLength === CHUNK_BYTES || end === partial.bytes;
    if (!bytes || !whole || (await sha256(bytes)) !== hash) {
      partial.chunks.length = index;
      break;
    }
  }
  return partial;
}

/**
 * Fetch what is missing, trying again where that can help.
 * @param {Download} job
 * @param {State} state
 */
async function fetchAll(job, state) {
  try {
    const progress = () => state.manifest.chunks.length;
    await withRetries(() => fetchRest(job, state), job.signal, progress);
  } catch (error) {
    job.signal.throwIfAborted();
    throw error instanceof RerankError ? error : unreachable(job.spec, error);
  }
}

/**
 * One request: from the first missing chunk to the end.
 * @param {Download} job
 * @param {State} state
 */
async function fetchRest(job, state) {
  const { spec, signal, onBytes } = job;
  const from = state.manifest.chunks.length * CHUNK_BYTES;
  if (state.manifest.bytes && from >= state.manifest.bytes) return; // all but the commit was done
  const response = await fetch(/** @type {string} */ (spec.url), {
    signal,
    headers: rangeHeaders(from, spec, state.manifest),
  });
  const continued = from > 0 && continues(response, from, spec, state.manifest);
  if (from > 0 && !continued && [206, 416].includes(response.status)) {
    await response.body?.cancel(); // a part of another file: it is asked for whole
    startOver(state, null);
    return fetchRest(job, state);
  }
  const body = checkResponse(response, spec);
  if (!continued) startOver(state, validatorOf(response));
  const offset = continued ? from : 0;
  const announced = announcedBytes(response, offset);
  if (spec.bytes && announced && announced !== spec.bytes) {
    throw integrity(spec, `has ${announced} bytes instead of ${spec.bytes}`);
  }
  state.manifest.bytes = spec.bytes || announced;
  const total = state.manifest.bytes || lengthOnTheWire(response, offset);
  const count = (/** @type {number} */ loaded) => onBytes(loaded, total);
  await keepChunks(body, offset, { ...job, count }, state);
}

/**
 * @param {ReadableStream<Uint8Array>} body
 * @param {number} offset where it begins
 * @param {Download & { count: (loaded: number) => void }} job
 * @param {State} state
 */
async function keepChunks(body, offset, { spec, signal, count }, state) {
  let loaded = offset;
  for await (const chunk of chunksOf(body, signal, (bytes) => count((loaded += bytes)))) {
    const index = state.manifest.chunks.length;
    const next = { ...state.manifest, chunks: [...state.manifest.chunks, await sha256(chunk)] };
    if (!(await writeChunk(next, index, chunk))) state.inMemory.set(index, new Blob([chunk]));
    state.manifest = next;
  }
  if (state.manifest.bytes && loaded !== state.manifest.bytes) {
    // A whole chunk cannot be told from a cut one here: the last is fetched again.
    state.manifest = { ...state.manifest, chunks: state.manifest.chunks.slice(0, -1) };
    throw integrity(spec, `has ${loaded} bytes instead of ${state.manifest.bytes}`, new Spoilt());
  }
  state.manifest.bytes = loaded;
}

/**
 * @param {State} state
 * @param {string | null} validator
 */
function startOver(state, validator) {
  state.manifest = { key: state.manifest.key, bytes: 0, chunks: [], validator };
  state.inMemory.clear();
}

/**
 * The whole file as a Blob: a handle that workers share without copies.
 * @param {State} state
 */
async function assemble({ manifest, inMemory }) {
  const parts = [];
  for (const index of manifest.chunks.keys()) {
    const part = inMemory.get(index) ?? (await readChunk(manifest.key, index));
    if (!part)
      throw new RerankError('model_load', 'The browser lost a part of the model. Try again.');
    parts.push(part instanceof Blob ? part : new Blob([part]));
  }
  return new Blob(parts);
}

/**
 * @param {Download} job
 * @param {Blob} blob
 */
async function verify({ spec, signal }, blob) {
  if (!spec.sha256) return;
  const hasher = await createHasher();
  for (let start = 0; start < blob.size; start += CHUNK_BYTES) {
    hasher.update(new Uint8Array(await blob.slice(start, start + CHUNK_BYTES).arrayBuffer()));
    signal.throwIfAborted();
  }
  if (hasher.digest() === spec.sha256) return;
  throw integrity(spec, 'does not have the expected sha256', new Spoilt());
}
