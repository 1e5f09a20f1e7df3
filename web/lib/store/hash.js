/** @file sha256, streaming: SubtleCrypto cannot, and is absent on plain http (hash-wasm, MIT). */

import { RerankError } from '../errors.js';
import { whyNotLoaded } from '../own-files.js';
import { checkWebAssembly } from '../policy.js';

/** @typedef {import('hash-wasm').IHasher} Hasher */

const LIBRARY = new URL('../../vendor/sha256.js', import.meta.url).href;

/** @returns {Promise<Hasher>} fresh */
export async function createHasher() {
  await checkWebAssembly();
  try {
    await import(LIBRARY); // UMD: onto globalThis
    return await /** @type {any} */ (globalThis).hashwasm.createSHA256();
  } catch (cause) {
    const message = 'A part of webrerank could not be loaded. Reload the page and try again.';
    throw await whyNotLoaded([LIBRARY], new RerankError('runtime_load', message, { cause }));
  }
}

/**
 * @param {ArrayBuffer} bytes
 * @returns {Promise<string>} hex
 */
export async function sha256(bytes) {
  return (await createHasher()).update(new Uint8Array(bytes)).digest();
}
