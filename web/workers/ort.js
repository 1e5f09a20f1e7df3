/**
 * @file ONNX Runtime Web: which build, which options, and what its errors mean here.
 */

import { asRerankError, RerankError } from '../lib/errors.js';

/** @typedef {import('../webrerank.js').Device} Device */
/** @typedef {typeof import('onnxruntime-web')} Ort */
/** @typedef {import('onnxruntime-web').InferenceSession} InferenceSession */

const vendor = (/** @type {string} */ name) =>
  new URL(`../vendor/ort/${name}`, import.meta.url).href;

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
    const ort = await import(vendor(`ort.${entry}.min.mjs`));
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
    const created = await ort.InferenceSession.create(new Uint8Array(await graph.arrayBuffer()), {
      logSeverityLevel: 3, // errors only: placement notes are no news to a user
      executionProviders: [device], // exactly one: a list degrades in silence (PLATFORM.md 1.3)
      ...(external.length && { externalData: external }),
    });
    checkInputs(created);
    return created;
  } catch (error) {
    throw sessionError(error, 'model_load', 'ONNX Runtime could not load the model');
  }
}

/** @param {InferenceSession} created */
function checkInputs(created) {
  const known = ['input_ids', 'attention_mask', 'token_type_ids'];
  const missing = created.inputNames.filter((name) => !known.includes(name));
  if (missing.length || !created.inputNames.includes('input_ids')) {
    throw new RerankError(
      'unsupported_model',
      `The model wants the inputs ${created.inputNames.join(', ').slice(0, 200)}; ` +
        `a reranker has ${known.join(', ')}. Choose a cross-encoder exported for text ranking.`,
    );
  }
}

/** What engines and ONNX Runtime say; it wraps their RangeErrors. */
const OUT_OF_MEMORY =
  /out of memory|bad_alloc|allocation failed|(could not|cannot|failed to) allocate/i;

/**
 * Translate what ONNX Runtime throws.
 * @param {unknown} error
 * @param {import('../lib/errors.js').Code} code
 * @param {string} what
 */
export function sessionError(error, code, what) {
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError || OUT_OF_MEMORY.test(text)) {
    return new RerankError(
      'out_of_memory',
      'This device has too little memory for the model. Use fewer sessions or a smaller model.',
      { cause: error },
    );
  }
  // At load the text is about the model; at a run it may name what was in the user's text.
  const detail = code === 'model_load' ? ` (${text.slice(0, 200)})` : '';
  return asRerankError(error, code, `${what}${detail}. Try again, or choose another model.`);
}

/**
 * One or two numbers a pair; an embedding model or another classifier gives more. Known from the
 * first run, that is before the reranker is ready.
 * @param {readonly number[]} dims
 * @param {number} rows
 */
export function checkOutput(dims, rows) {
  const [pairs, numbers = 1] = dims;
  if (pairs === rows && numbers <= 2 && dims.length <= 2) return;
  throw new RerankError(
    'unsupported_model',
    `The model answers ${rows} pairs with shape (${dims.join(', ')}); a reranker gives (pairs, 1) or ` +
      '(pairs, 2). Choose a cross-encoder trained for relevance.',
  );
}
