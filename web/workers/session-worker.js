/**
 * @file One inference session in a worker of its own: a run blocks its thread and cannot be
 * stopped (docs/platform.md). Loaded by the page; runs are asked for by the Python worker over a port.
 */

import { errorToWire, RerankError } from '../lib/errors.js';
import { runsOf } from './feeds.js';
import { runError, trialError } from './ort.js';
import { OrtSession } from './ort-session.js';
import { serve } from './serve.js';
import { openSession, prepare } from './sessions.js';

/** @typedef {import('../lib/protocol.js').RunMessage} RunMessage */

/** @type {'wasm' | 'webgpu'} */
let device = 'wasm';
/** @type {import('./sessions.js').Wanted} */
let engine = 'onnxruntime';
/** @type {import('./sessions.js').Session | null} */
let session = null;
/** @type {RunMessage[]} runs not begun yet */
const waiting = [];
let draining = false;
/** @type {Promise<unknown>} */
let lastRun = Promise.resolve();

/** (rows, length) of the runs that compile ahead. On a GPU its check (lib/gpu-check.js) does that. */
const WARMUP_SHAPES = { wasm: [[1, 8]], webgpu: [] };

serve({
  async boot(payload) {
    ({ device, engine } = payload);
    await prepare(device, engine);
  },

  async load({ graph, externalData, port }) {
    session = await openSession(device, engine, { graph, externalData });
    if (device === 'webgpu' && session instanceof OrtSession) watchGpu(session);
    port.onmessage = (/** @type {MessageEvent<import('../lib/protocol.js').ToSession>} */ event) =>
      receive(event.data, port);
    return session.engine;
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

/**
 * @param {import('../lib/protocol.js').Batch} batch
 * @returns {Promise<number[]>}
 */
async function probe(batch) {
  /** @type {number[]} */
  let answers = [];
  for (const { wanted, ...batchOfRun } of runsOf(loaded().inputMetadata, batch)) {
    const logits = await run(batchOfRun);
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
 * @param {OrtSession} onGpu
 */
async function watchGpu(onGpu) {
  crash(`the GPU device was lost (${await onGpu.gpuLost()})`);
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
 * @param {import('../lib/protocol.js').ToSession} message
 * @param {MessagePort} port
 */
async function receive(message, port) {
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
      const logits = await run(next, begun);
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
 * @param {import('./sessions.js').Run} batch
 * @param {() => void} [onBegin]
 * @returns {Promise<Float32Array>} shape (rows, n_logits), flat
 */
function run(batch, onBegin) {
  // Two runs at once hang a WebGPU worker for good (docs/platform.md).
  const result = lastRun.then(() => (onBegin?.(), loaded().run(batch)));
  lastRun = result.catch(() => {});
  return result;
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
