/**
 * @file One ONNX Runtime Web session in a worker of its own: a run blocks its thread and cannot be
 * stopped (docs/platform.md). Loaded by the page; runs are asked for by the Python worker over a port.
 */

import { errorToWire, RerankError } from '../lib/errors.js';
import { runsOf } from './feeds.js';
import { createSession, loadRuntime, runError, trialError } from './ort.js';
import { serve } from './serve.js';

/** @typedef {typeof import('onnxruntime-web')} Ort */
/** @typedef {import('onnxruntime-web').InferenceSession} InferenceSession */
/** @typedef {import('../lib/protocol.js').RunMessage} RunMessage */

/** @type {'wasm' | 'webgpu'} */
let device = 'wasm';
/** @type {Promise<Ort> | null} */
let runtime = null;
/** @type {InferenceSession | null} */
let session = null;
/** @type {RunMessage[]} runs not begun yet */
const waiting = [];
let draining = false;
/** @type {Promise<unknown>} */
let lastRun = Promise.resolve();

/** (rows, length) of the runs that compile ahead; a GPU has other programs for one row and many. */
const WARMUP_SHAPES = { wasm: [[1, 8]], webgpu: [[1, 8], [2, 8]] }; // prettier-ignore

serve({
  async boot(payload) {
    device = payload.device;
    await getRuntime();
  },

  async load({ graph, externalData, port }) {
    const ort = await getRuntime();
    session = await createSession(ort, device, graph, externalData);
    if (device === 'webgpu') watchGpu(ort);
    port.onmessage = (/** @type {MessageEvent<import('../lib/protocol.js').ToSession>} */ event) =>
      receive(ort, event.data, port);
  },

  /** The first run of a shape compiles; short pairs make the first real ones fast. */
  async warmup({ shapes = WARMUP_SHAPES[device] }) {
    try {
      for (const [rows, length] of shapes) await tryOut(rows, length);
    } catch (error) {
      throw trialError(error);
    }
  },

  /** Run one batch; answers with what the model gives, flat. */
  probe,
});

/**
 * Run pairs of nothing in particular.
 * @param {number} rows
 * @param {number} length
 */
function tryOut(rows, length) {
  const ones = new BigInt64Array(rows * length).fill(1n);
  const zeros = new BigInt64Array(rows * length);
  return probe({ inputIds: ones, attentionMask: ones, tokenTypeIds: zeros, rows, length });
}

/** ONNX Runtime, loaded once; a failure is forgotten, so that it can be tried again. */
function getRuntime() {
  runtime ??= loadRuntime(device).catch((error) => {
    runtime = null;
    throw error;
  });
  return runtime;
}

/**
 * @param {import('../lib/protocol.js').Batch} batch
 * @returns {Promise<number[]>}
 */
async function probe(batch) {
  const ort = await getRuntime();
  /** @type {number[]} */
  let answers = [];
  for (const { wanted, ...batchOfRun } of runsOf(loaded(), batch)) {
    const logits = await run(ort, batchOfRun);
    const own = logits.subarray(0, (logits.length / batchOfRun.rows) * wanted);
    answers = answers.concat([...own]);
  }
  return answers;
}

function loaded() {
  if (session) return session;
  throw new RerankError(
    'internal',
    'A run was asked for before the model was loaded. Report it with what you did.',
  );
}

/**
 * A lost device fails every run to come: the worker ends itself, and the page replaces it.
 * @param {Ort} ort
 */
async function watchGpu(ort) {
  const gpu = /** @type {any} */ (await ort.env.webgpu.device);
  const { reason } = await gpu.lost;
  crash(`the GPU device was lost (${reason})`);
}

/**
 * End this worker with an error that the page sees.
 * @param {string} what
 */
function crash(what) {
  setTimeout(() => {
    throw new Error(what);
  });
}

/**
 * @param {Ort} ort
 * @param {import('../lib/protocol.js').ToSession} message
 * @param {MessagePort} port
 */
async function receive(ort, message, port) {
  if (message.type === 'drop') {
    const place = waiting.findIndex((run) => run.id === message.id);
    if (place < 0) return; // it has begun: its answer is under way
    waiting.splice(place, 1);
    return port.postMessage({ type: 'dropped', id: message.id });
  }
  waiting.push(message);
  if (draining) return;
  draining = true;
  // A turn of the event loop before each run, so that a drop is heard between two runs.
  while ((await turn(), waiting.length)) {
    const next = /** @type {RunMessage} */ (waiting.shift());
    const begun = () => port.postMessage({ type: 'begun', id: next.id });
    try {
      const logits = await run(ort, next, begun);
      port.postMessage({ type: 'logits', id: next.id, logits });
    } catch (error) {
      if (!(await stillWorks())) return crash('a run failed, and so does every other');
      port.postMessage({ type: 'failed', id: next.id, error: errorToWire(runError(error)) });
    }
  }
  draining = false;
}

/** Whether a run that failed is to blame itself: after a trap in WebAssembly, or on a GPU that is in
 * trouble, all fail, and another session may do better. */
async function stillWorks() {
  try {
    await tryOut(1, 8);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {Ort} ort
 * @param {Omit<RunMessage, 'type' | 'id'>} batch
 * @param {() => void} [onBegin]
 * @returns {Promise<Float32Array>} shape (rows, n_logits), flat
 */
function run(ort, batch, onBegin) {
  // Two runs at once hang a WebGPU worker for good (docs/platform.md).
  const result = lastRun.then(() => (onBegin?.(), runAlone(ort, batch)));
  lastRun = result.catch(() => {});
  return result;
}

/**
 * @param {Ort} ort
 * @param {Omit<RunMessage, 'type' | 'id'>} batch
 */
async function runAlone(ort, { feeds, output: name, rows, length }) {
  const tensors = Object.entries(feeds).map(([name, values]) => {
    const tensor =
      values instanceof Int32Array
        ? new ort.Tensor('int32', values, [rows, length])
        : new ort.Tensor('int64', values, [rows, length]);
    return [name, tensor];
  });
  const outputs = await loaded().run(Object.fromEntries(tensors));
  const output = outputs[name] ?? outputs.logits ?? smallest(Object.values(outputs));
  if (output.data instanceof Uint16Array) {
    throw new RerankError(
      'unsupported_model',
      "This browser cannot read the model's 16-bit answers. Choose dtype 'fp32' or 'q8'.",
    );
  }
  // A copy: the answer is small, and ONNX Runtime may reuse its own.
  return Float32Array.from(/** @type {Float32Array} */ (output.data));
}

/**
 * Where it is not known yet which output is wanted: no floats are fewer than the logits.
 * @param {import('onnxruntime-web').Tensor[]} outputs
 */
function smallest(outputs) {
  const floats = outputs.filter(({ type }) => type.startsWith('float'));
  return (floats.length ? floats : outputs).reduce((one, two) => (two.size < one.size ? two : one));
}

/** Let the event loop take a turn; a MessageChannel is not slowed down as nested timers are. */
function turn() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve(undefined);
    };
    port2.postMessage(null);
  });
}
