/**
 * @file Everything that runs behind one reranker: the Python worker, the session workers, and the
 * model's files. Starts what can start together, and ends it all.
 */

import { chooseForDevice, chooseSessions, runBytes } from './device.js';
import { RerankError } from './errors.js';
import { gpuAgrees } from './gpu-check.js';
import { DEFAULT_MODEL, withModelWorker } from './models.js';
import { LoadProgressMeter } from './progress.js';
import { SessionWorkers } from './session-workers.js';
import { workerUrl } from './script-url.js';
import { disposed, LOADING_MS, WorkerClient } from './worker-client.js';

/** @typedef {import('../webrerank.js').RerankerOptions} RerankerOptions */
/** @typedef {import('./device.js').Choice} Choice */
/** @typedef {import('./session-workers.js').LoadedSession} LoadedSession */
/** @typedef {import('./store/open.js').ModelFiles} ModelFiles */

export class Engine {
  #options;
  #meter;
  #python;
  /** @type {SessionWorkers | null} */
  #sessions = null;
  #ended = false;
  /** @type {Choice & { model: string, sessions: number }} */
  runtime = { model: '', device: 'wasm', dtype: 'q8', sessions: 0, fallback: null };
  /** False if the model will have to be downloaded again next time. */
  saved = true;
  /**
   * Called once if the engine ends by itself; the reranker then starts a new one.
   * @type {(gpuGivenUp: boolean) => void}
   */
  onEnd = () => {};

  /**
   * Start an engine; when the promise resolves it is ready and warm.
   * @param {RerankerOptions} options checked
   * @param {string} [fallback] why not on the GPU, whatever was asked
   * @returns {Promise<Engine>}
   */
  static async start(options, fallback) {
    const engine = new Engine(options);
    try {
      await engine.#start(fallback);
      return engine;
    } catch (error) {
      engine.end();
      throw error;
    }
  }

  /** @param {RerankerOptions} options */
  constructor(options) {
    this.#options = options;
    this.#meter = new LoadProgressMeter(options.onProgress);
    this.#python = new WorkerClient(
      workerUrl('python-worker'),
      'webrerank Python worker',
      (error) => this.#fail(error),
    );
  }

  /** @param {string} [fallback] */
  async #start(fallback) {
    const { signal, cache = true } = this.#options;
    const options = { signal, onEvent: this.#meter.runtime, patienceMs: LOADING_MS };
    const booted = this.#python.call('boot', null, options);
    const opening = this.#openModel(fallback);
    opening.catch(() => {}); // awaited below, unless Python fails first
    // A Python that does not start is told at once, not after the download.
    let files = await Promise.race([opening, booted.then(() => opening)]);
    this.#meter.phase('load');
    let loading = this.#loadSessions(files);
    if (this.runtime.device === 'webgpu') {
      const reason = await this.#gpuFailure(files, loading);
      if (reason) {
        this.#sessions?.end(disposed());
        files = await this.#openModel(reason);
        loading = this.#loadSessions(files);
      }
    }
    loading.catch(() => {}); // awaited below, after Python
    await booted;
    const { config, tokenizer, tokenizerConfig, graph, bytes } = files;
    const { device, sessions } = this.runtime;
    const runtime = { ...this.runtime, cache, runBytes: runBytes(device, bytes, sessions) };
    const model = { config, tokenizer, tokenizerConfig, graph, runtime };
    // Its refusals say most, so they come first.
    const shapes = await this.#python.call('load', model, { signal });
    const loaded = await loading;
    this.runtime.sessions = loaded.length; // fewer where memory is short
    for (const session of loaded) {
      if (this.#sessions?.has(session.index)) await this.#attach(session); // not if replaced meanwhile
    }
    await this.#python.call('checkAnswer', null, { signal });
    this.#meter.done();
    this.#sessions?.compileFor(shapes);
  }

  /**
   * Find and open the model in the precision that suits the device; the sessions start meanwhile.
   * @param {string} [fallback] why not on the GPU
   * @returns {Promise<ModelFiles>}
   */
  async #openModel(fallback) {
    const { model = DEFAULT_MODEL, dtype = 'auto', sessions: asked, signal } = this.#options;
    const device = fallback ? 'wasm' : (this.#options.device ?? 'auto');
    return withModelWorker(async (client) => {
      const found = await client.call('resolve', { model }, { signal });
      const choice = await chooseForDevice(device, dtype, found.dtypes, signal);
      this.runtime = { ...this.runtime, ...choice, model: found.id };
      if (fallback) this.runtime.fallback = fallback;
      if (this.#ended) throw disposed();
      const sessions = this.#newSessions();
      sessions.resize(chooseSessions(choice.device, asked, found.bytes[choice.dtype]));
      const payload = { model, dtype: choice.dtype };
      const files = await client.call('open', payload, { signal, onEvent: this.#meter.model });
      sessions.resize(chooseSessions(choice.device, asked, files.bytes)); // a folder tells it now
      this.runtime.sessions = sessions.count;
      this.saved = files.saved;
      return files;
    });
  }

  #newSessions() {
    this.#sessions = new SessionWorkers(this.runtime.device, {
      onLost: (index, stopped) => this.#python.call('detach', { index, stopped }),
      onReplaced: (session) => this.#attach(session),
      onFewer: () => void this.runtime.sessions--,
      onGivenUp: (error) => this.#fail(error, this.runtime.device === 'webgpu'),
    });
    return this.#sessions;
  }

  /**
   * @param {ModelFiles} files
   * @returns {Promise<LoadedSession[]>} loaded and warm
   */
  async #loadSessions(files) {
    const { signal } = this.#options;
    const sessions = /** @type {SessionWorkers} */ (this.#sessions);
    const loaded = await sessions.load(files, signal);
    this.#meter.phase('warmup');
    await sessions.warmUp(signal);
    return loaded;
  }

  /**
   * Why the GPU cannot be used after all; empty if it can.
   * @param {ModelFiles} files
   * @param {Promise<LoadedSession[]>} loading
   */
  async #gpuFailure(files, loading) {
    const { signal } = this.#options;
    try {
      await loading;
      const sessions = /** @type {SessionWorkers} */ (this.#sessions);
      if (await gpuAgrees(sessions, files, this.runtime.dtype, signal)) return '';
      return 'The GPU gave other numbers than the CPU, so the model runs on WebAssembly.';
    } catch (error) {
      signal?.throwIfAborted();
      const code = error instanceof RerankError ? error.code : 'internal';
      return `The model did not start on the GPU (${code}), so it runs on WebAssembly.`;
    }
  }

  /**
   * Rerank; see lib/protocol.js for what goes in and out.
   * @param {import('./protocol.js').RerankPayload} payload
   * @param {{ signal: AbortSignal, stopAtOnce: boolean, onEvent: (event: import('./protocol.js').PairEvent) => void }} options
   * @returns {Promise<import('./protocol.js').RankingColumns>}
   */
  async rerank(payload, { stopAtOnce, ...options }) {
    try {
      return await this.#python.call('rerank', payload, options);
    } catch (error) {
      if (stopAtOnce && options.signal.aborted) void this.#restartCancelled();
      if (error instanceof RerankError && error.code === 'worker_crashed') this.#fail(error);
      throw error;
    }
  }

  /** End the sessions that compute what was aborted; others take their place. */
  async #restartCancelled() {
    try {
      for (const index of await this.#python.call('computingCancelled', null)) {
        void this.#sessions?.restart(index);
      }
    } catch {
      // Python is gone: the next call finds out, and starts anew.
    }
  }

  /** End all workers; calls under way reject. */
  end(error = disposed()) {
    this.#ended = true;
    this.#python.end(error);
    this.#sessions?.end(error);
  }

  /** @param {LoadedSession} session */
  #attach({ index, port }) {
    return this.#python.call('attach', { index, port }, { transfer: [port] });
  }

  /**
   * @param {RerankError} error
   * @param {boolean} [gpuGivenUp]
   */
  #fail(error, gpuGivenUp = false) {
    if (this.#ended) return;
    this.end(error);
    this.onEnd(gpuGivenUp);
  }
}
