/** @file createReranker and rerank: checks, aborts, and answers with the caller's own objects. */

import { abortable, notify } from './abort.js';
import { Engine, NOTHING_YET } from './engine.js';
import { asRerankError, RerankError } from './errors.js';
import { DEFAULT_MODEL } from './models.js';
import { checkRerankerOptions, checkRerankOptions, splitOneCallOptions } from './request.js';
import { orSiteUpdate } from './site-update.js';
import { disposed } from './worker-client.js';

/** @typedef {ReturnType<typeof checkRerankOptions>} CheckedRequest */
/** @typedef {import('../webrerank.js').Ranking} Ranking */
/** @typedef {import('../webrerank.js').RerankResult} RerankResult */

class WorkerReranker {
  #options;
  /** @type {Promise<Engine> | null} */
  #engine = null;
  #controller = new AbortController();
  #saved = false;
  /** @type {string | undefined} why the GPU is not tried again */
  #gpuLost;
  /** @type {Engine['runtime']} */
  #runtime = { ...NOTHING_YET, model: DEFAULT_MODEL };

  /** @param {import('../webrerank.js').RerankerOptions} options checked */
  constructor(options) {
    this.#options = options;
    const { model } = options;
    if (model !== undefined)
      this.#runtime.model = typeof model === 'string' ? model : 'files from disk';
  }

  get model() {
    return this.#runtime.model;
  }
  get device() {
    return this.#runtime.device;
  }
  get dtype() {
    return this.#runtime.dtype;
  }
  get engine() {
    return this.#runtime.engine;
  }
  get sessions() {
    return this.#runtime.sessions;
  }
  get fallback() {
    return this.#runtime.fallback;
  }
  get saved() {
    return this.#saved;
  }

  /**
   * The engine, started if it is not running. A failed start is forgotten, so that the next call
   * tries again.
   * @param {AbortSignal} [signal] aborts the start itself; only the first start has one
   */
  start(signal) {
    this.#engine ??= this.#start(signal);
    return this.#engine;
  }

  /** @param {AbortSignal} [signal] */
  async #start(signal) {
    try {
      const stop = signal
        ? AbortSignal.any([signal, this.#controller.signal])
        : this.#controller.signal;
      const engine = await Engine.start({ ...this.#options, signal: stop }, this.#gpuLost);
      engine.onEnd = (gpuGivenUp) => {
        this.#engine = null;
        if (!gpuGivenUp) return;
        this.#gpuLost = 'The GPU was lost more than once, so the model runs on WebAssembly.';
      };
      this.#runtime = engine.runtime;
      this.#saved = engine.saved;
      return engine;
    } catch (error) {
      this.#engine = null;
      if (signal?.aborted || this.#controller.signal.aborted) throw error;
      const kind = error instanceof Error ? error.name : typeof error;
      const message = `The reranker could not start (${kind}). Reload the page and try again.`;
      throw await orSiteUpdate(asRerankError(error, 'runtime_load', message));
    }
  }

  /** @type {import('../webrerank.js').Reranker['rerank']} */
  async rerank(options) {
    const request = checkRerankOptions(options);
    return /** @type {Promise<any>} */ (this.run(request));
  }

  /**
   * Run a checked request.
   * @param {CheckedRequest} request
   * @returns {Promise<Ranking>}
   */
  async run(request) {
    const { signal: own } = this.#controller;
    const signal = request.signal ? AbortSignal.any([request.signal, own]) : own;
    signal.throwIfAborted();
    if (!request.documents.length) return unranked(this.#runtime, request);
    try {
      return await this.#rank(request, signal);
    } catch (error) {
      if (!request.failSoft || signal.aborted || !(error instanceof RerankError)) throw error;
      if (error.code === 'invalid_request') throw error;
      return unranked(this.#runtime, request, error);
    }
  }

  /**
   * @param {CheckedRequest} request
   * @param {AbortSignal} stop
   * @returns {Promise<Ranking>}
   */
  async #rank({ documents, payload, stopAtOnce, onProgress, onResult }, stop) {
    const engine = await abortable(this.start(), stop);
    const columns = await engine.rerank(
      { ...payload, wantResults: Boolean(onResult) },
      {
        signal: stop,
        stopAtOnce,
        onEvent: ({ done, total, result }) => {
          if (result) notify(onResult, resultOf(result, null, documents));
          // An abort from inside onResult: nothing more is told.
          if (!stop.aborted) notify(onProgress, { done, total });
        },
      },
    );
    const results = resultsOf(columns, documents);
    return { ...engine.runtime, results, reranked: true, error: null, usage: columns.usage };
  }

  async dispose() {
    this.#controller.abort(disposed());
    const engine = await this.#engine?.catch(() => null);
    engine?.end();
    this.#engine = null;
  }
}

/**
 * @param {import('./protocol.js').ResultRow} row
 * @param {number | null} rank
 * @param {any[]} documents
 * @returns {RerankResult}
 */
function resultOf({ index, score, logit, truncated, error }, rank, documents) {
  return {
    index,
    rank,
    score,
    logit: Number.isNaN(logit) ? null : logit,
    document: documents[index],
    truncated,
    window: null,
    error: error && RerankError.fromJSON(error),
  };
}

/**
 * @param {import('./protocol.js').RankingColumns} columns
 * @param {any[]} documents
 */
function resultsOf({ index, score, logit, truncated, errors }, documents) {
  const errorOf = new Map(errors.map(({ row, error }) => [row, error]));
  return Array.from(index, (place, row) => {
    const numbers = { score: score[row], logit: logit[row], truncated: truncated[row] === 1 };
    const result = { index: place, ...numbers, error: errorOf.get(row) ?? null };
    return resultOf(result, row + 1, documents);
  });
}

/**
 * The documents as they were: there are none, or ranking failed.
 * @param {Engine['runtime']} runtime
 * @param {CheckedRequest} request
 * @param {RerankError | null} [error]
 * @returns {Ranking}
 */
function unranked(runtime, { documents, payload }, error = null) {
  const blank = { score: 0, logit: NaN, truncated: false, error: null };
  const results = documents
    .slice(0, payload.topK)
    .map((_, index) => resultOf({ index, ...blank }, index + 1, documents));
  const counts = { documents: documents.length, pairs: 0, cached: 0, failed: 0, tokens: 0 };
  const times = { tokenizeMs: 0, inferenceMs: 0, totalMs: 0 };
  const usage = { ...counts, queryTruncated: false, ...times };
  return { ...runtime, results, reranked: !error, error, usage };
}

/** @type {typeof import('../webrerank.js').createReranker} */
export async function createReranker(options = {}) {
  const checked = checkRerankerOptions(options);
  checked.signal?.throwIfAborted();
  const reranker = new WorkerReranker(checked);
  try {
    await abortable(reranker.start(checked.signal), checked.signal);
    return reranker;
  } catch (error) {
    void reranker.dispose(); // not awaited: an abort is answered at once
    throw error;
  }
}

/** @type {typeof import('../webrerank.js').rerank} */
export async function rerank(options) {
  const { load, request } = splitOneCallOptions(options);
  const reranker = new WorkerReranker(load);
  try {
    return /** @type {any} */ (await reranker.run(request));
  } finally {
    void reranker.dispose();
  }
}
