/** @file A file from the database, every chunk checked; a bad chunk is fetched again alone. */

import { RerankError } from '../errors.js';
import { read } from './database.js';
import { FEW_ATTEMPTS, fetchInTime } from './fetch-in-time.js';
import { readChunk, removeFile, writeChunkAgain } from './files.js';
import { sha256 } from './hash.js';
import { unreachable } from './host-errors.js';
import { CHUNK_BYTES } from './records.js';
import { withRetries } from './retry.js';

/** @typedef {import('./sources.js').FileSpec} FileSpec */
/** @typedef {import('./files.js').StoredFile} StoredFile */

/**
 * Read a stored file.
 * @param {FileSpec} spec
 * @param {AbortSignal} signal
 * @param {(loaded: number, total: number) => void} onBytes
 * @returns {Promise<Blob | null>} null if it is not there whole, and has to be downloaded
 */
export async function readStored(spec, signal, onBytes) {
  /** @type {StoredFile | undefined} */
  const file = spec.sha256 ? await read('files', spec.sha256) : undefined;
  if (!file) return null;
  const parts = [];
  for (const [index, hash] of file.chunks.entries()) {
    signal.throwIfAborted();
    const stored = await readChunk(file.id, index);
    const good = stored !== undefined && (await sha256(stored)) === hash;
    const bytes = good ? stored : await fetchChunk(spec, file, index, signal);
    if (!bytes) {
      await removeFile(file);
      return null;
    }
    // A Blob a chunk: the browser may keep it on disk, and the next is read only then.
    parts.push(new Blob([bytes]));
    onBytes(Math.min((index + 1) * CHUNK_BYTES, file.bytes), file.bytes);
  }
  const blob = new Blob(parts);
  if (blob.size === file.bytes) return blob;
  await removeFile(file);
  return null;
}

/**
 * Fetch one chunk again.
 * @param {FileSpec} spec
 * @param {StoredFile} file
 * @param {number} index
 * @param {AbortSignal} signal
 * @returns {Promise<ArrayBuffer | null>} null if the host has something else by now
 * @throws {RerankError} 'model_load' if it cannot be asked; the other chunks stay
 */
async function fetchChunk(spec, file, index, signal) {
  if (!spec.url) return null;
  const start = index * CHUNK_BYTES;
  const end = Math.min(start + CHUNK_BYTES, file.bytes);
  try {
    const bytes = await withRetries(() => fetchRange(spec, start, end, signal), {
      signal,
      attempts: FEW_ATTEMPTS,
    });
    if (!bytes || (await sha256(bytes)) !== file.chunks[index]) return null;
    await writeChunkAgain(file.id, index, bytes); // if it cannot be kept, this load has it
    return bytes;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RerankError) throw error;
    const what = `A part of the model's ${spec.path}, which was lost on this device,`;
    throw await unreachable(what, spec.url, error, signal);
  }
}

/**
 * @param {FileSpec} spec
 * @param {number} start
 * @param {number} end
 * @param {AbortSignal} signal
 * @returns {Promise<ArrayBuffer | null>} null if the host does not give this part
 */
async function fetchRange({ url }, start, end, signal) {
  const headers = { Range: `bytes=${start}-${end - 1}` };
  const response = await fetchInTime(/** @type {string} */ (url), {
    signal,
    headers,
    cache: 'no-store',
  });
  if (response.status === 206) return response.arrayBuffer();
  await response.body?.cancel();
  if (response.status >= 500) throw new Error(`the host answered ${response.status}`);
  return null;
}
