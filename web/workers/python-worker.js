/**
 * @file The worker in which the reranker runs: Python in Pyodide. This file boots it and carries
 * messages; what to do with them is py_src/webrerank/worker_api.py.
 */

import { RerankError } from '../lib/errors.js';
import { whyNotLoaded } from '../lib/own-files.js';
import { PATIENCE_MS } from '../lib/patience.js';
import { checkWebAssembly } from '../lib/policy.js';
import { SITE, VENDOR } from '../lib/site.js';
import { VERSION } from '../lib/version.js';
import { findKept, whileFilesCome } from './fetch.js';
import { checkNesting } from './json-nesting.js';
import { withPieces } from './pieces.js';
import { serve } from './serve.js';
import { replacedInTime, SessionPort } from './session-port.js';
import { loadTokenizer } from './tokenizer.js';

const PYODIDE = VENDOR.pyodide;
const WHEEL = new URL(`../python/webrerank-${VERSION}-py3-none-any.whl`, import.meta.url).href;

/** What may be missing, or sent in a way that browsers do not take. */
const PARTS = [
  ...['pyodide.mjs', 'pyodide.asm.mjs', 'pyodide.asm.wasm'].map((name) => PYODIDE + name),
  ...['python_stdlib.zip', 'pyodide-lock.json'].map((name) => PYODIDE + name),
  WHEEL,
];

/** @type {any} webrerank.worker_api.WorkerApi */
let api;

/** @type {Map<number, SessionPort>} */
const sessions = new Map();

/**
 * Settles when the last rerank that was aborted has let go of its sessions.
 * @type {Promise<void>}
 */
let lastAborted = Promise.resolve();

serve({
  async boot(_payload, { emit }) {
    await checkWebAssembly();
    try {
      api = await whileFilesCome(startPython(emit), SITE, emit);
    } catch (cause) {
      const message = 'Python could not start in this browser. Reload the page and try again.';
      const otherwise = new RerankError('runtime_load', message, { cause });
      throw await whyNotLoaded(PARTS, otherwise);
    }
  },

  async load({ config, tokenizer, tokenizerConfig, graph, runtime }) {
    [config, tokenizer, tokenizerConfig].forEach(checkNesting);
    const texts = [config, tokenizer, tokenizerConfig];
    const bytes = new Uint8Array(await graph.arrayBuffer()); // without weights: a megabyte or so
    return answerOf(api.load(...texts, bytes, loadTokenizer, runtime));
  },

  attach({ index, port }) {
    const session = new SessionPort(port);
    sessions.set(index, session);
    return api.attach(index, session);
  },

  detach({ index, stopped }) {
    sessions.delete(index);
    return api?.detach(index, stopped);
  },

  /** Refuse a model by what it answers; once a session is attached. */
  checkAnswer: (_payload, { signal }) => answerOf(api.check_answer(), signal),

  rerank: (payload, { signal, emit }) => answerOf(api.rerank(payload, emit), signal),

  /** Which sessions still compute what was aborted; asked right after an abort. */
  async computingCancelled() {
    await lastAborted; // Python hears of a cancel a turn later
    return api.computing_cancelled();
  },
});

/** Python has nothing to say while sessions compute. session-port.js sees to it that they answer. */
setInterval(() => {
  if ([...sessions.values()].some(({ busy }) => busy)) postMessage({ id: 0, type: 'alive' });
}, PATIENCE_MS.worker / 4);

/** @param {(stage: string) => void} emit */
async function startPython(emit) {
  const pyodide = await loadPython();
  emit('python');
  await installWebrerank(pyodide);
  return pyodide.pyimport('webrerank.worker_api').WorkerApi(replacedInTime);
}

/**
 * Start Python, from the snapshot that the build made if it is at hand. Snapshots are no public
 * interface of Pyodide, so anything wrong with one means a plain start.
 */
async function loadPython() {
  const unpacked = keptSnapshot().catch(() => null);
  const { loadPyodide } = await import(`${PYODIDE}pyodide.mjs`);
  const options = {
    indexURL: PYODIDE,
    lockFileURL: `${PYODIDE}pyodide-lock.json`,
    packageBaseUrl: PYODIDE,
    packages: ['numpy', 'micropip'],
  };
  try {
    const snapshot = await unpacked;
    if (snapshot) {
      const pyodide = await loadPyodide({ ...options, _loadSnapshot: snapshot });
      pyodide.runPython(SELF_CHECK);
      return pyodide;
    }
  } catch {
    // Not reported: the plain start below does the same, about a second slower.
  }
  const pyodide = await loadPyodide(options);
  pyodide.runPython(SELF_CHECK);
  return pyodide;
}

/** What Python must be able to do; a frozen random seed is made fresh again. */
const SELF_CHECK = `
import random, numpy
random.seed()
assert numpy.arange(3).sum() == 3
`;

/**
 * The snapshot, if the service worker keeps it: from the network its 5 MB would take longer than
 * they save. Gzipped by the build; the name does not say so, or some hosts would unpack it.
 * @returns {Promise<ArrayBuffer | null>}
 */
async function keptSnapshot() {
  const response = await withPieces(findKept)(`${PYODIDE}python.snapshot`);
  const stream = response?.body?.pipeThrough(new DecompressionStream('gzip'));
  return stream ? new Response(stream).arrayBuffer() : null;
}

/** @param {any} pyodide */
async function installWebrerank(pyodide) {
  const micropip = pyodide.pyimport('micropip');
  await micropip.install.callKwargs(WHEEL, { deps: false }); // numpy is there already
  micropip.destroy();
}

/**
 * Wait for an asyncio task that answers { value } or { error }; an abort cancels it.
 * @param {any} task proxy of the task; freed here
 * @param {AbortSignal} [signal]
 */
async function answerOf(task, signal) {
  const handle = task.copy(); // awaiting consumes the first proxy
  let end = () => {};
  /** @type {Promise<void>} */
  const ended = new Promise((resolve) => (end = resolve));
  const cancel = () => {
    handle.cancel();
    lastAborted = ended;
  };
  signal?.addEventListener('abort', cancel);
  try {
    if (signal?.aborted) cancel();
    const answer = await task;
    if (answer.error) throw RerankError.fromJSON(answer.error);
    return answer.value;
  } finally {
    signal?.removeEventListener('abort', cancel);
    handle.destroy();
    end();
  }
}
