/** @file Where and in which precision to run: what was asked, what the model has, what is here. */

import { abortable } from './abort.js';
import { RerankError } from './errors.js';
import { PATIENCE_MS, withinTime } from './patience.js';

/** @typedef {import('../webrerank.js').Device} Device */
/** @typedef {import('../webrerank.js').Dtype} Dtype */
/** @typedef {{ device: Device, dtype: Dtype, fallback: string | null }} Choice */

/** What a session is taken to need beside its weights, bytes; docs/models.md has measured heaps. */
const SESSION_BYTES = 96 * 2 ** 20;

/** More sessions than this gain little and cost memory. */
const MOST_SESSIONS = 8;

/** What the GPU offers; null if there is none, or its driver does not answer. */
async function findGpu() {
  try {
    const gpu = /** @type {any} */ (navigator).gpu;
    if (!gpu) return null;
    const late = () => new Error('no answer');
    const adapter = await withinTime(gpu.requestAdapter(), PATIENCE_MS.adapter, late);
    if (!adapter) return null;
    const info = adapter.info ?? {};
    return {
      fp16: Boolean(adapter.features.has('shader-f16')),
      emulated: Boolean(adapter.isFallbackAdapter ?? info.isFallbackAdapter),
    };
  } catch {
    return null; // a broken driver is no GPU
  }
}

/**
 * Whether a GPU could be of use: int8 has no kernels there (docs/platform.md).
 * @param {Dtype | 'auto'} asked
 * @param {Dtype[]} dtypes the model has
 */
const suitsGpu = (asked, dtypes) =>
  asked === 'auto' ? dtypes.some((dtype) => dtype !== 'q8') : asked !== 'q8';

/**
 * Choose for this browser.
 * @param {Device | 'auto'} device
 * @param {Dtype | 'auto'} dtype
 * @param {Dtype[]} dtypes the model has
 * @param {AbortSignal} [signal]
 */
export async function chooseForDevice(device, dtype, dtypes, signal) {
  // Not asked for in vain: a browser without WebGPU warns on the console.
  const mayUseGpu = device === 'webgpu' || (device === 'auto' && suitsGpu(dtype, dtypes));
  const gpu = mayUseGpu ? await abortable(findGpu(), signal) : null;
  return chooseDevice(device, dtype, dtypes, gpu);
}

/**
 * Choose device and precision.
 * @param {Device | 'auto'} asked
 * @param {Dtype | 'auto'} askedDtype
 * @param {Dtype[]} dtypes the model has
 * @param {{ fp16: boolean, emulated: boolean } | null} gpu
 * @returns {Choice}
 * @throws {RerankError} 'unsupported_model' if the model has no such precision
 */
export function chooseDevice(asked, askedDtype, dtypes, gpu) {
  if (askedDtype !== 'auto' && !dtypes.includes(askedDtype)) {
    throw new RerankError(
      'unsupported_model',
      `The model has no ${askedDtype} file; it has ${dtypes.join(', ')}. Choose one of these, or 'auto'.`,
    );
  }
  const allowed = askedDtype === 'auto' ? dtypes : [askedDtype];
  /** @type {Dtype | undefined} */
  const forGpu = allowed.includes('fp16') && gpu?.fp16 ? 'fp16' : allowed.find((d) => d === 'fp32');
  // int8 first: the only precision that is faster than fp32 on WebAssembly (docs/platform.md).
  const order = /** @type {Dtype[]} */ (['q8', 'fp32', 'fp16']);
  const forWasm = /** @type {Dtype} */ (order.find((dtype) => allowed.includes(dtype)));

  if (asked === 'webgpu') {
    const reason = !gpu
      ? 'This browser offers no WebGPU adapter, so the model runs on WebAssembly.'
      : !forGpu && 'This model has no precision that runs on this GPU, so it runs on WebAssembly.';
    if (reason) return { device: 'wasm', dtype: forWasm, fallback: reason };
  }
  const useGpu = asked === 'webgpu' || (asked === 'auto' && gpu && !gpu.emulated);
  if (useGpu && forGpu) return { device: 'webgpu', dtype: forGpu, fallback: null };
  return { device: 'wasm', dtype: forWasm, fallback: null };
}

/**
 * How many sessions to run side by side.
 * @param {Device} device
 * @param {number | undefined} asked
 * @param {number} modelBytes
 */
export function chooseSessions(device, asked, modelBytes) {
  if (device === 'webgpu') return 1; // overlapping runs hang the worker (docs/platform.md)
  const cores = navigator.hardwareConcurrency || 2;
  // From four cores on, one is left to the page.
  const wanted = asked ?? Math.min(cores < 4 ? cores : cores - 1, MOST_SESSIONS);
  const fitting = Math.floor(deviceBytes() / 4 / (SESSION_BYTES + 2 * modelBytes));
  return Math.max(1, asked ? wanted : Math.min(wanted, fitting));
}

/** What WebAssembly can address with 32 bits, less what the runtime itself needs, bytes. */
const WASM_BYTES = 4 * 2 ** 30 - SESSION_BYTES;

/** What a GPU is taken to have for one run, bytes: browsers do not tell. */
const GPU_BYTES = 2 * 2 ** 30;

/**
 * Memory that one run may take; what needs more would end its session, or the tab.
 * @param {Device} device
 * @param {number} modelBytes
 * @param {number} sessions that may each be at such a run
 */
export function runBytes(device, modelBytes, sessions) {
  if (device === 'webgpu') return GPU_BYTES;
  const addressable = Math.max(SESSION_BYTES, WASM_BYTES - modelBytes);
  return Math.min(addressable, Math.max(SESSION_BYTES, deviceBytes() / 2 / sessions));
}

/** What the browser says of the device's memory; Firefox and Safari say nothing. */
function deviceBytes() {
  /** @type {{ deviceMemory?: number }} GiB */
  const { deviceMemory = 4 } = /** @type {any} */ (navigator);
  return deviceMemory * 2 ** 30;
}
