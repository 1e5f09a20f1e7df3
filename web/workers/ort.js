/**
 * @file ONNX Runtime Web: which build, which options, and what its errors mean here.
 */

import { asRerankError, RerankError } from '../lib/errors.js';
import { whyNotLoaded } from '../lib/own-files.js';
import { checkWebAssembly } from '../lib/policy.js';
import { FilesMissing, whileFilesCome } from './fetch.js';
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
  await checkWebAssembly();
  // JSPI where the browser has it: smaller and faster than asyncify (docs/platform.md).
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
  } catch (cause) {
    const message = 'ONNX Runtime could not be loaded. Reload the page and try again.';
    const otherwise = new RerankError('runtime_load', message, { cause });
    throw await whyNotLoaded([vendor(`ort.${entry}.min.mjs`)], otherwise);
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
      executionProviders: [device], // exactly one: a list degrades in silence (docs/platform.md)
      ...(external.length && { externalData: external }),
    });
    return await whileFilesCome(creating, vendor(''));
  } catch (error) {
    throw await loadError(ort, error);
  }
}

/** What engines and ONNX Runtime say; it wraps their RangeErrors. */
const OUT_OF_MEMORY =
  /out of memory|bad_alloc|allocation failed|(could not|cannot|failed to) allocate/i;

/**
 * What ONNX Runtime throws when it makes a session: about its own files, the memory, or the model.
 * @param {Ort} ort
 * @param {unknown} error
 * @returns {Promise<RerankError>}
 */
async function loadError(ort, error) {
  if (error instanceof RerankError) return error;
  const text = textOf(error);
  if (isOutOfMemory(error)) {
    return new RerankError(
      'out_of_memory',
      'This device has too little memory for the model. Use fewer sessions or a smaller model.',
      { cause: error },
    );
  }
  if (error instanceof FilesMissing || /no available backend/i.test(text)) {
    const message = 'ONNX Runtime could not start. Reload the page and try again.';
    const otherwise = new RerankError('runtime_load', message, { cause: error });
    const { mjs, wasm } = /** @type {any} */ (ort.env.wasm.wasmPaths);
    return whyNotLoaded([mjs, wasm], otherwise);
  }
  return new RerankError(
    'unsupported_model',
    `ONNX Runtime cannot run this model: ${reasonIn(text)}. Choose another model, or another ` +
      'export of this one.',
    { cause: error },
  );
}

/** As much as a reader takes in. */
const LONGEST_REASON = 500;

/**
 * What is wrong with the model, out of what ONNX Runtime says: without its own file names and
 * functions, which come first and are long.
 * @param {string} text
 */
export function reasonIn(text) {
  const reason = text
    .replace(/^[^]*ERROR_MESSAGE: /, '')
    .replace(/\S+\.(cc|h|cpp):\d+ [^]*?\) (?=\S)/, '')
    .replace(/\s+/g, ' ')
    .replace(/[.\s]+$/, '');
  return reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)} ...` : reason;
}

/**
 * What a first run on pairs of nothing in particular throws: it is about the model.
 * @param {unknown} error
 */
export function trialError(error) {
  if (error instanceof RerankError || isOutOfMemory(error)) return runError(error);
  return new RerankError(
    'unsupported_model',
    `The model failed on a first, short pair: ${reasonIn(textOf(error))}. Choose another model.`,
    { cause: error },
  );
}

/**
 * What a run throws. Its words are not told: they may name what was in the user's text.
 * @param {unknown} error
 */
export function runError(error) {
  if (isOutOfMemory(error)) {
    return new RerankError(
      'out_of_memory',
      'This device has too little memory to run the model on this document. Use a smaller ' +
        'maxLength, fewer sessions or a smaller model.',
      { cause: error },
    );
  }
  return asRerankError(
    error,
    'inference',
    'The model failed on this document, and the others are not affected. Leave it out, or choose ' +
      'another dtype or model.',
  );
}

/** @param {unknown} error */
const textOf = (error) => (error instanceof Error ? error.message : String(error));

/** @param {unknown} error */
const isOutOfMemory = (error) => error instanceof RangeError || OUT_OF_MEMORY.test(textOf(error));
