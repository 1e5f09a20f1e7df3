/**
 * @file The worker in which the reranker runs: Python in Pyodide. This file boots it and carries
 * messages; what to do with them is py_src/webrerank/worker_api.py.
 */

import { asRerankError, errorFromWire } from '../lib/errors.js';
import { VERSION } from '../lib/version.js';
import { serve } from './serve.js';
import { SessionPort } from './session-port.js';
import { loadTokenizer } from './tokenizer.js';

const PYODIDE = new URL('../vendor/pyodide/', import.meta.url).href;
const WHEEL = `${PYODIDE}webrerank-${VERSION}-py3-none-any.whl`;

/** @type {any} webrerank.worker_api.WorkerApi */
let api;

serve({
  async boot(_payload, { emit }) {
    try {
      const pyodide = await loadPython();
      emit('python');
      await installWebrerank(pyodide);
      api = pyodide.pyimport('webrerank.worker_api').WorkerApi();
    } catch (error) {
      throw asRerankError(
        error,
        'runtime_load',
        'Python could not start in this browser. Reload the page, or try another browser.',
      );
    }
  },

  load: ({ config, tokenizer, tokenizerConfig, runtime }) =>
    answerOf(api.load(config, tokenizer, tokenizerConfig, loadTokenizer, runtime)),

  attach: ({ index, port }) => api.attach(index, new SessionPort(port)),

  detach: ({ index }) => api.detach(index),

  rerank: (payload, { signal, emit }) => answerOf(api.rerank(payload, emit), signal),
});

async function loadPython() {
  const { loadPyodide } = await import(`${PYODIDE}pyodide.mjs`);
  return loadPyodide({
    indexURL: PYODIDE,
    lockFileURL: `${PYODIDE}pyodide-lock.json`,
    packageBaseUrl: PYODIDE,
    packages: ['numpy', 'micropip'],
  });
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
  const cancel = () => handle.cancel();
  signal?.addEventListener('abort', cancel);
  try {
    if (signal?.aborted) cancel();
    const answer = await task;
    if (answer.error) throw errorFromWire(answer.error);
    return answer.value;
  } finally {
    signal?.removeEventListener('abort', cancel);
    handle.destroy();
  }
}
