/**
 * @file One file from the network into the database, chunk by chunk, so that a lost connection or
 * a closed tab costs one chunk at most.
 */

import { RerankError } from '../errors.js';
import { CHUNK_BYTES, commitFile, read, readChunk, removeFile, writeChunk } from './database.js';
import { createHasher, sha256 } from './hash.js';

/** @typedef {import('./sources.js').FileSpec} FileSpec */
/** @typedef {import('./database.js').Manifest} Manifest */

/** How often a download that gets nowhere is tried again, and how long it waits at first, ms. */
const ATTEMPTS = 5;
const FIRST_WAIT_MS = 400;

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
  await fetchAll(job, state);
  job.onVerify();
  const blob = await assemble(state);
  await verify(job, blob);
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
  let manifest = { key, bytes: blob.size, chunks: [], etag: null };
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
  const partial = (await read('partials', key)) ?? { key, bytes: 0, chunks: [], etag: null };
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
  for (let attempt = 1; ; attempt++) {
    const before = state.manifest.chunks.length;
    try {
      return await fetchRest(job, state);
    } catch (error) {
      job.signal.throwIfAborted();
      if (error instanceof RerankError && !(error.cause instanceof Retry)) throw error;
      if (state.manifest.chunks.length > before) attempt = 0; // it got somewhere
      if (attempt >= ATTEMPTS) {
        throw error instanceof RerankError ? error : unreachable(job.spec, error);
      }
      await pause(FIRST_WAIT_MS * 2 ** Math.max(0, attempt - 1), job.signal);
    }
  }
}

/** Marks an error after which the same request may succeed. */
class Retry extends Error {}

/**
 * One request: from the first missing chunk to the end.
 * @param {Download} job
 * @param {State} state
 */
async function fetchRest({ spec, signal, onBytes }, state) {
  const from = state.manifest.chunks.length * CHUNK_BYTES;
  if (state.manifest.bytes && from >= state.manifest.bytes) return; // all but the commit was done
  const response = await fetch(/** @type {string} */ (spec.url), {
    signal,
    headers: rangeHeaders(from, spec, state.manifest),
  });
  const body = checkResponse(response, spec);
  const continued = from > 0 && continues(response, from, state.manifest);
  if (!continued) {
    state.manifest = { key: spec.key, bytes: 0, chunks: [], etag: response.headers.get('etag') };
    state.inMemory.clear();
  }
  const offset = continued ? from : 0;
  const length = Number(response.headers.get('content-length')) || 0;
  // A compressed answer tells its length on the wire, not that of the file.
  const plain = !response.headers.get('content-encoding');
  const announced = plain && length ? offset + length : 0;
  if (spec.bytes && announced && announced !== spec.bytes) {
    throw integrity(spec, `has ${announced} bytes instead of ${spec.bytes}`);
  }
  state.manifest.bytes = spec.bytes || announced;
  let loaded = offset;
  for await (const chunk of chunksOf(body, signal, (bytes) =>
    onBytes((loaded += bytes), state.manifest.bytes),
  )) {
    const index = state.manifest.chunks.length;
    const next = { ...state.manifest, chunks: [...state.manifest.chunks, await sha256(chunk)] };
    if (!(await writeChunk(next, index, chunk))) state.inMemory.set(index, new Blob([chunk]));
    state.manifest = next;
  }
  if (state.manifest.bytes && loaded !== state.manifest.bytes) {
    // A whole chunk cannot be told from a cut one here: the last is fetched again.
    state.manifest = { ...state.manifest, chunks: state.manifest.chunks.slice(0, -1) };
    throw integrity(spec, `has ${loaded} bytes instead of ${state.manifest.bytes}`, new Retry());
  }
  state.manifest.bytes = loaded;
}

/**
 * @param {number} from
 * @param {FileSpec} spec
 * @param {Manifest} manifest
 * @returns {Record<string, string>}
 */
function rangeHeaders(from, spec, manifest) {
  if (!from) return {};
  const range = { Range: `bytes=${from}-` };
  // With a known hash the parts cannot be mixed up, and If-Range would cost a CORS preflight.
  return spec.sha256 || !manifest.etag ? range : { ...range, 'If-Range': manifest.etag };
}

/**
 * @param {Response} response
 * @param {FileSpec} spec
 * @returns {ReadableStream<Uint8Array>}
 */
function checkResponse(response, spec) {
  const { status } = response;
  if (!response.ok || !response.body) {
    const retry = status >= 500 || status === 429 || status === 408 || status === 416;
    throw new RerankError(
      'model_load',
      `The model's host answered ${status} for ${spec.path}. ` +
        (retry ? 'Try again later.' : 'Check the model name and that the model is public.'),
      retry ? { cause: new Retry() } : undefined,
    );
  }
  if (response.headers.get('content-type')?.startsWith('text/html')) {
    throw integrity(spec, 'is a web page, not the file');
  }
  return response.body;
}

/**
 * Whether an answer really continues what is here; a 200 starts over.
 * @param {Response} response
 * @param {number} from
 * @param {Manifest} manifest
 */
function continues(response, from, manifest) {
  if (response.status !== 206) return false;
  const range = response.headers.get('content-range');
  const etag = response.headers.get('etag');
  // Another host may hide these headers; the hash of the whole decides then.
  const rangeFits = range === null || range.startsWith(`bytes ${from}-`);
  return rangeFits && (etag === null || manifest.etag === null || etag === manifest.etag);
}

/**
 * Cut a stream into chunks of CHUNK_BYTES; the last may be shorter.
 * @param {ReadableStream<Uint8Array>} body
 * @param {AbortSignal} signal
 * @param {(bytes: number) => void} onBytes
 * @returns {AsyncGenerator<ArrayBuffer>}
 */
async function* chunksOf(body, signal, onBytes) {
  const reader = body.getReader();
  let buffer = new Uint8Array(CHUNK_BYTES);
  let filled = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) break;
      for (let start = 0; start < value.length;) {
        const part = value.subarray(start, start + CHUNK_BYTES - filled);
        buffer.set(part, filled);
        filled += part.length;
        start += part.length;
        if (filled === CHUNK_BYTES) {
          yield buffer.buffer;
          buffer = new Uint8Array(CHUNK_BYTES);
          filled = 0;
        }
      }
      onBytes(value.length);
    }
    if (filled) yield buffer.buffer.slice(0, filled);
  } finally {
    reader.cancel().catch(() => {}); // it may be broken already
  }
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
  await removeFile(spec.key);
  throw integrity(spec, 'does not have the expected sha256');
}

/**
 * @param {FileSpec} spec
 * @param {string} what
 * @param {unknown} [cause]
 */
const integrity = (spec, what, cause) =>
  new RerankError(
    'model_integrity',
    `The model's ${spec.path} ${what}. Nothing was kept; try again, or choose another source.`,
    { cause },
  );

/** @param {FileSpec} spec */
const gone = (spec) =>
  new RerankError(
    'model_load',
    `The model's ${spec.path} came from this device, and the browser has removed it since. ` +
      'Add the model again.',
  );

/**
 * @param {FileSpec} spec
 * @param {unknown} cause
 */
const unreachable = (spec, cause) =>
  new RerankError(
    'model_load',
    `The model's ${spec.path} could not be downloaded. Check the connection and try again: ` +
      'what was loaded is kept.',
    { cause },
  );

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), reject(signal.reason)), {
      once: true,
    });
  });
}
