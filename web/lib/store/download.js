/**
 * @file One file from the network into the database, chunk by chunk, so that a lost connection or
 * a closed tab costs one chunk at most. Its sha256 is computed on the way.
 */

import { RerankError } from '../errors.js';
import { PATIENCE_MS, SilenceClock } from '../patience.js';
import { changed, gone, integrity, Spoilt } from './download-errors.js';
import { addToHash, assemble, dropLast, resume, startOver } from './download-state.js';
import { commitFile, removePartial, writeChunk } from './files.js';
import { sha256 } from './hash.js';
import { unreachable } from './host-errors.js';
import {
  announcedBytes,
  checkResponse,
  chunksOf,
  continues,
  lengthOnTheWire,
  rangeHeaders,
} from './http-range.js';
import { CHUNK_BYTES } from './records.js';
import { withRetries } from './retry.js';
import { compare, validatorOf } from './validators.js';

/** @typedef {import('./sources.js').FileSpec} FileSpec */
/** @typedef {import('./download-state.js').State} State */
/** @typedef {import('./validators.js').Validator} Validator */

/**
 * @typedef {object} DownloadOptions
 * @property {string} name of the model
 * @property {boolean} listed whether the host itself said which version it has, in spec.validator
 * @property {boolean} hurry whether there is a stored release to use instead
 * @property {AbortSignal} signal
 * @property {(loaded: number, total: number) => void} onBytes
 * @property {() => void} onVerify
 * @property {() => void} onWait called now and then while nothing comes
 */

/** @typedef {DownloadOptions & { spec: FileSpec }} Download */

/**
 * @typedef {object} Downloaded
 * @property {Blob} blob
 * @property {boolean} saved
 * @property {string} sha256
 * @property {Validator | null} validator
 */

/**
 * Download a file, from where the last attempt stopped.
 * @param {FileSpec} spec
 * @param {DownloadOptions} options
 * @returns {Promise<Downloaded>}
 * @throws {RerankError} 'model_load' or 'model_integrity'
 */
export async function download(spec, options) {
  if (!spec.url) throw gone(spec);
  const job = { spec, ...options };
  const state = await resume(job);
  const resumed = state.partial.chunks.length > 0;
  try {
    await fetchAll(job, state);
    return await finish(job, state);
  } catch (error) {
    if (!(error instanceof RerankError && error.cause instanceof Spoilt)) throw error;
    await removePartial(state.partial.id);
    if (!resumed) throw error;
    return download(spec, options); // what an earlier visit left may be what is wrong
  }
}

/**
 * @param {Download} job
 * @param {State} state
 * @returns {Promise<Downloaded>}
 */
async function finish({ spec, onVerify }, state) {
  const { partial, inMemory, hasher } = state;
  const hash = hasher.digest();
  if (spec.sha256) onVerify();
  if (spec.sha256 && hash !== spec.sha256) {
    throw integrity(spec, 'does not have the expected sha256', new Spoilt());
  }
  const blob = await assemble(state);
  const { id, bytes, chunks } = partial;
  const validator = spec.validator ?? partial.validator;
  const file = { sha256: hash, id, bytes, chunks, url: spec.url, validator };
  const saved = !inMemory.size && (await commitFile(file));
  if (!saved) await removePartial(id); // half a file is of no use to anyone
  return { blob, saved, sha256: hash, validator };
}

/**
 * Fetch what is missing, trying again where that can help.
 * @param {Download} job
 * @param {State} state
 */
async function fetchAll(job, state) {
  const { signal, hurry, onWait: tell } = job;
  try {
    const progress = () => state.partial.chunks.length;
    const attempts = hurry ? 2 : undefined;
    await withRetries(() => fetchRest(job, state), { signal, progress, tell, attempts });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RerankError) throw error;
    const { path, url } = job.spec;
    throw await unreachable(`The model's ${path}`, String(url), error, signal);
  }
}

/**
 * One request, given up once nothing comes any more: a connection can die unseen.
 * @param {Download} job
 * @param {State} state
 */
async function fetchRest(job, state) {
  const stalled = new AbortController();
  const patience = job.hurry ? PATIENCE_MS.hostOfStored : PATIENCE_MS.host;
  const clock = new SilenceClock(() => stalled.abort(new Error('The host sends nothing more.')));
  const signal = AbortSignal.any([job.signal, stalled.signal]);
  const alive = () => clock.start(patience);
  alive();
  try {
    await request({ ...job, signal }, state, alive);
  } finally {
    clock.stop();
  }
}

/**
 * From the first missing chunk to the end.
 * @param {Download} job
 * @param {State} state
 * @param {() => void} alive to call when something came
 */
async function request(job, state, alive) {
  const { spec, signal, onBytes } = job;
  const from = state.partial.chunks.length * CHUNK_BYTES;
  if (state.partial.bytes && from >= state.partial.bytes) return; // all but the commit was done
  const response = await fetch(/** @type {string} */ (spec.url), {
    signal,
    headers: rangeHeaders(from, spec, state.partial),
    // Not from the browser's cache where only the host's own word says which version it is.
    cache: job.listed ? 'no-store' : 'default',
  });
  alive();
  const continued = from > 0 && continues(response, from, spec, state.partial);
  if (from > 0 && !continued && [206, 416].includes(response.status)) {
    await response.body?.cancel(); // a part of another file: it is asked for whole
    startOver(state, null);
    return request(job, state, alive);
  }
  if (response.status === 206 && !continued) {
    await response.body?.cancel();
    throw integrity(spec, 'came in part, though all of it was asked for');
  }
  const body = checkResponse(response, spec);
  if (!continued) startOver(state, validatorOf(response));
  const offset = continued ? from : 0;
  const announced = announcedBytes(response, offset);
  checkVersion(job, response, announced);
  state.partial.bytes = (job.listed ? 0 : spec.bytes) || announced;
  const total = state.partial.bytes || lengthOnTheWire(response, offset);
  const count = (/** @type {number} */ loaded) => (alive(), onBytes(loaded, total));
  await keepChunks(body, offset, { ...job, count }, state);
}

/**
 * @param {Download} job
 * @param {Response} response
 * @param {number} announced bytes; 0 if not known
 */
function checkVersion({ spec, listed }, response, announced) {
  const otherLength = Boolean(spec.bytes && announced && announced !== spec.bytes);
  if (listed && compare(validatorOf(response), spec.validator) === 'different') throw changed(spec);
  if (otherLength && listed) throw changed(spec);
  if (otherLength) throw integrity(spec, `has ${announced} bytes instead of ${spec.bytes}`);
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
    const index = state.partial.chunks.length;
    const chunks = [...state.partial.chunks, await sha256(chunk)];
    const next = { ...state.partial, at: Date.now(), chunks };
    if (!(await writeChunk(next, index, chunk))) state.inMemory.set(index, new Blob([chunk]));
    addToHash(state, chunk);
    state.partial = next;
  }
  const { bytes } = state.partial;
  if (bytes && loaded !== bytes) {
    dropLast(state);
    throw integrity(spec, `has ${loaded} bytes instead of ${bytes}`, new Spoilt());
  }
  state.partial.bytes = loaded;
}
