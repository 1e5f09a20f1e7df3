/** @file Points transformers.js to this server in place of the hub and the CDN; else its defaults. */

/**
 * @param {any} env transformers.js's settings
 * @returns {string} the model's id
 */
export function useLocalParts(env) {
  const ort = new URL('/peers/onnxruntime-web/dist/', location.origin).href;
  env.remoteHost = new URL('/hub/', location.origin).href;
  // The build that it takes by default, and in the form that lets it keep the files.
  env.backends.onnx.wasm.wasmPaths = {
    mjs: `${ort}ort-wasm-simd-threaded.asyncify.mjs`,
    wasm: `${ort}ort-wasm-simd-threaded.asyncify.wasm`,
  };
  return 'ms-marco-MiniLM-L-12-v2';
}
