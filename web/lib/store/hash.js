/** @file sha256, streaming: SubtleCrypto cannot, and is absent on plain http (hash-wasm, MIT). */

import { RerankError } from '../errors.js';

/** @typedef {import('hash-wasm').IHasher} Hasher */

/** @returns {Promise<Hasher>} fresh */
export async function createHasher() {
  try {
    await import(new URL('../../vendor/sha256.js', import.meta.url).href); // UMD: onto globalThis
  } catch (cause) {
    throw new RerankError('runtime_load', 'A part of webrerank could not be loaded. Try again.', {
      cause,
    });
  }
  return /** @type {any} */ (globalThis).hashwasm.createSHA256();
}

/**
 * @param {ArrayBuffer} bytes
 * @returns {Promise<string>} hex
 */
export async function sha256(bytes) {
  return (await createHasher()).update(new Uint8Array(bytes)).digest();
}
