/** @file A file from the database, every chunk checked; a bad chunk is fetched again alone. */

import { CHUNK_BYTES, read, readChunk, removeFile, writeChunkAgain } from './database.js';
import { sha256 } from './hash.js';

/** @typedef {import('./sources.js').FileSpec} FileSpec */
/** @typedef {import('./database.js').Manifest} Manifest */

/**
 * Read a stored file.
 * @param {FileSpec} spec
 * @param {AbortSignal} signal
 * @param {(loaded: number, total: number) => void} onBytes
 * @returns {Promise<Blob | null>} null if it is not there whole, and has to be downloaded
 */
export async function readStored(spec, signal, onBytes) {
  /** @type {Manifest | undefined} */
  const manifest = await read('files', spec.key);
  if (!manifest) return null;
  const parts = [];
  for (const [index, hash] of manifest.chunks.entries()) {
    signal.throwIfAborted();
    const stored = await readChunk(spec.key, index);
    const good = stored !== undefined && (await sha256(stored)) === hash;
    const bytes = good ? stored : await fetchChunk(spec, manifest, index, signal);
    if (!bytes) {
      await removeFile(spec.key);
      return null;
    }
    // A Blob a chunk: the browser may keep it on disk, and the next is read only then.
    parts.push(new Blob([bytes]));
    onBytes(Math.min((index + 1) * CHUNK_BYTES, manifest.bytes), manifest.bytes);
  }
  return new Blob(parts);
}

/**
 * Fetch one chunk again.
 * @param {FileSpec} spec
 * @param {Manifest} manifest
 * @param {number} index
 * @param {AbortSignal} signal
 * @returns {Promise<ArrayBuffer | null>} null if the host has something else by now
 */
async function fetchChunk(spec, manifest, index, signal) {
  if (!spec.url) return null;
  const start = index * CHUNK_BYTES;
  const end = Math.min(start + CHUNK_BYTES, manifest.bytes);
  const headers = { Range: `bytes=${start}-${end - 1}` };
  try {
    const response = await fetch(spec.url, { signal, headers });
    if (response.status !== 206) {
      await response.body?.cancel();
      return null;
    }
    const bytes = await response.arrayBuffer();
    if ((await sha256(bytes)) !== manifest.chunks[index]) return null;
    await writeChunkAgain(spec.key, index, bytes); // if it cannot be kept, this load has it
    return bytes;
  } catch {
    signal.throwIfAborted();
    return null;
  }
}
