/**
 * @file ONNX Runtime Web: which build, which options, and what its errors mean here.
 */

import { asRerankError, RerankError } from '../lib/errors.js';
import { whileFilesCome } from './fetch.js';
import { VENDOR } from '../lib/site.js';

/** @typedef {import('../webrerank.js').Device} Device */
/** @typedef {typeof import('onnxruntime-web')} Ort */
/** @typedef {import('onnxruntime-web').InferenceSession} InferenceSession */

const vendor = (/** @type {string} */ name) => `${VENDOR.ort}${name}`;

/**
 * Load the build of ONNX Runtime Web that suits the device.
 * @param {Device} device
 * @returns {Promise<Ort>}
 */
export async function loadRuntime(device) {
  // JSPI where the browser has it: smaller and faster than asyncify (PLATFORM.md 1.1).
  const gpu = 'Suspending' in WebAssembly ? ['jspi', '.jspi'] : ['webgpu', '.asyncify'];
  const [entry, suffix] = device === 'webgpu' ? gpu : ['wasm', ''];
  try {
    /** @type {Ort} */
    const ort = await whileFilesCome(import(vendor(`ort.${entry}.min.mjs`)), vendor(''));
    ort.env.logLevel = 'error';
    ort.env.wasm.numThreads = 1; // the pool is the parallelism
    ort.env.wasm.wasmPaths = {
      mjs: vendor(`ort-wasm-simd-threaded${suffix}.mjs`),
      wasm: vendor(`ort-wasm-simd-threaded${suffix}.wasm`),
    };
    return ort;
  } catch (error) {
    throw asRerankError(error, 'runtime_load', 'ONNX Runtime could not be loaded. Try again.');
  }
}

/**
 * @param {Ort} ort
 * @param {Device} device
 * @param {Blob} graph
 * @param {{ path: string, data: Blob }[]} externalData
 */
export async function createSession(ort, device, graph, externalData) {
  try {
    const external = [];
    for (const { path, data } of externalData) {
      external.push({ path, data: new Uint8Array(await data.arrayBuffer()) });
    }
    const creating = ort.InferenceSession.create(new Uint8Array(await graph.arrayBuffer()), {
      logSeverityLevel: 3, // errors only: placement notes are no news to a user
      executionProviders: [device], // exactly one: a list degrades in silence (PLATFORM.md 1.3)
      ...(external.length && { externalData: external }),
    });
    return await whileFilesCome(creating, vendor(''));
  } catch (error) {
    throw sessionError(error, 'model_load', 'ONNX Runtime could not load the model');
  }
}

/** What engines and ONNX Runtime say; it wraps their RangeErrors. */
const OUT_OF_MEMORY =
  /out of memory|bad_alloc|allocation failed|(could not|cannot|failed to) allocate/i;

/**
 * Translate what ONNX Runtime throws.
 * @param {unknown} error
 * @param {keyof typeof ADVICE} code
 * @param {string} what
 */
export function sessionError(error, code, what) {
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError || OUT_OF_MEMORY.test(text)) {
    const [atWhat, advice] =
      code === 'inference'
        ? ['to run the model on this document', 'Use a smaller maxLength, fewer sessions']
        : ['for the model', 'Use fewer sessions'];
    return new RerankError(
      'out_of_memory',
      `This device has too little memory ${atWhat}. ${advice} or a smaller model.`,
      { cause: error },
    );
  }
  // At load the text is about the model; at a run it may name what was in the user's text.
  const detail = code === 'inference' ? '' : ` (${text.slice(0, 200)})`;
  return asRerankError(error, code, `${what}${detail}. ${ADVICE[code]}`);
}

/** What to do, by what a failure is taken for. */
const ADVICE = {
  model_load: 'Try again, or choose another model.',
  unsupported_model: 'Choose another model.',
  inference: 'Leave the document out, or choose another model.',
};
