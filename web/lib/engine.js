/**
 * @file Everything that runs behind one reranker: the Python worker, the session workers, and the
 * model's files. Starts what can start together, and ends it all.
 */

import { abortable } from './abort.js';
import { chooseSessions, runBytes } from './device.js';
import { RerankError } from './errors.js';
import { gpuFailure } from './gpu-check.js';
import { openForDevice, withModelWorker } from './models.js';
import { PATIENCE_MS } from './patience.js';
import { LoadProgressMeter } from './progress.js';
import { SessionWorkers } from './session-workers.js';
import { workerUrl } from './script-url.js';
import { disposed, WorkerClient } from './worker-client.js';

/** @typedef {import('../webrerank.js').RerankerOptions} RerankerOptions */
/** @typedef {import('./device.js').Choice} Choice */
/** @typedef {import('./session-workers.js').LoadedSession} LoadedSession */
/** @typedef {import('./store/open-release.js').ModelFiles} ModelFiles */

/**
 * What really runs.
 * @typedef {Choice & { model: string, engine: import('../webrerank.js').Engine, sessions: number }} Runtime
 */

/** @type {Runtime} before anything runs */
export const NOTHING_YET = {
  ...{ model: '', device: 'wasm', dtype: 'q8', engine: 'onnxruntime', sessions: 0, fallback: null },
};

export class Engine {
  #options;
  #meter;
  #python;
  /** @type {SessionWorkers | null} */
  #sessions = null;
  /** Aborted when the engine ends: all that its start still waits for ends with it. */
  #end = new AbortController();
  #signal;
  /** Called once Python has the model: only then can sessions be attached. */
  #hasModel = () => {};
  /** @type {Promise<void>} */
  #pythonHasModel = new Promise((resolve) => (this.#hasModel = resolve));
  /** @type {Runtime} */
  runtime = { ...NOTHING_YET };
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
    const { signal } = this.#end;
    this.#signal = options.signal ? AbortSignal.any([options.signal, signal]) : signal;
    this.#meter = new LoadProgressMeter(options.onProgress, this.#signal);
    this.#python = new WorkerClient(
      workerUrl('python-worker'),
      'webrerank Python worker',
      (error) => this.#fail(error),
    );
  }

  /** @param {string} [fallback] */
  async #start(fallback) {
    const waiting = { signal: this.#signal, patienceMs: PATIENCE_MS.loading };
    const booted = this.#python.call('boot', null, { ...waiting, onEvent: this.#meter.runtime });
    const opening = this.#openModel(fallback);
    opening.catch(() => {}); // awaited below, unless Python fails first
    // A Python that does not start is told at once, not after the download.
    const opened = await Promise.race([opening, booted.then(() => opening)]);
    const { files, loading } = await this.#startSessions(opened);
    loading.catch(() => {}); // awaited below, after Python
    await booted;
    const { config, tokenizer, tokenizerConfig, graph, bytes } = files;
    const { cache = true } = this.#options;
    const { device, sessions: count } = this.runtime;
    const runtime = { ...this.runtime, cache, runBytes: runBytes(device, bytes, count) };
    const model = { config, tokenizer, tokenizerConfig, graph, runtime };
    // Python's errors about a model are the most specific: they are reported before the sessions'.
    const shapes = await this.#python.call('load', model, waiting);
    this.#hasModel();
    const loaded = await loading;
    const sessions = /** @type {SessionWorkers} */ (this.#sessions);
    this.runtime.sessions = sessions.count; // fewer where memory is short
    for (const session of loaded) await this.#attach(sessions, session);
    await this.#python.call('checkAnswer', null, { signal: this.#signal });
    this.#meter.done();
    sessions.compileFor(shapes);
  }

  /**
   * Load the model into the sessions; if the GPU turns out to be of no use, another one on WebAssembly.
   * @param {ModelFiles} files
   */
  async #startSessions(files) {
    const loading = this.#loadSessions(files);
    if (this.runtime.device !== 'webgpu') return { files, loading };
    const onGpu = /** @type {SessionWorkers} */ (this.#sessions);
    const ready = loading.then(() => onGpu);
    const reason = await gpuFailure(ready, files, this.runtime.dtype, this.#signal);
    if (!reason) return { files, loading };
    onGpu.end(disposed());
    this.#meter.again();
    const others = await this.#openModel(reason);
    return { files: others, loading: this.#loadSessions(others) };
  }

  /**
   * Find and open the model in the precision that suits the device; the sessions start meanwhile.
   * @param {string} [fallback] why not on the GPU
   * @returns {Promise<ModelFiles>}
   */
  async #openModel(fallback) {
    const { device = 'auto', sessions: asked } = this.#options;
    const signal = this.#signal;
    const options = { ...this.#options, device: fallback ? 'wasm' : device, signal };
    return withModelWorker(async (client) => {
      const opened = await openForDevice(client, options, {
        onProgress: this.#meter.model,
        onChoice: (found, choice) => {
          this.runtime = { ...this.runtime, ...choice, model: found.id };
          if (fallback) this.runtime.fallback = fallback;
          signal.throwIfAborted();
          this.#sessions?.end(disposed()); // those for a release that was not to be had
          const bytes = found.bytes[choice.dtype] ?? 0;
          this.#newSessions().resize(chooseSessions(choice.device, asked, bytes));
        },
      });
      const { choice, files } = opened;
      const sessions = /** @type {SessionWorkers} */ (this.#sessions);
      sessions.resize(chooseSessions(choice.device, asked, files.bytes)); // a folder tells it now
      this.runtime.sessions = sessions.count;
      this.saved = files.saved;
      return files;
    });
  }

  #newSessions() {
    let attached = false; // one that dies before is unknown to Python
    void this.#pythonHasModel.then(() => (attached = true));
    const { device, dtype } = this.runtime;
    const { engine = 'onnxruntime' } = this.#options;
    // No other precision is of the kernel's models, so ONNX Runtime starts to load at once.
    const sessions = new SessionWorkers(device, dtype === 'q8' ? engine : 'onnxruntime', {
      onLost: async (index, stopped) => {
        if (attached) await this.#python.call('detach', { index, stopped });
      },
      onReplaced: (session) => this.#attach(sessions, session),
      onFewer: () => void this.runtime.sessions--,
      onGivenUp: (error) => this.#fail(error, this.runtime.device === 'webgpu'),
    });
    this.#sessions = sessions;
    return sessions;
  }

  /**
   * @param {ModelFiles} files
   * @returns {Promise<LoadedSession[]>} loaded and warm
   */
  async #loadSessions(files) {
    const sessions = /** @type {SessionWorkers} */ (this.#sessions);
    this.#meter.phase('load');
    const loaded = await sessions.load(files, this.#signal);
    this.runtime.engine = loaded[0].engine;
    this.#meter.phase('warmup');
    await sessions.warmUp(this.#signal);
    return loaded;
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
    this.#end.abort(error);
    this.#python.end(error);
    this.#sessions?.end(error);
  }

  /**
   * Hand a session to Python, once that has the model.
   * @param {SessionWorkers} sessions
   * @param {LoadedSession} session
   */
  async #attach(sessions, { index, port }) {
    await abortable(this.#pythonHasModel, this.#end.signal);
    if (!sessions.has(index)) return; // it died meanwhile, and another takes its place
    await this.#python.call('attach', { index, port }, { transfer: [port] });
  }

  /**
   * @param {RerankError} error
   * @param {boolean} [gpuGivenUp]
   */
  #fail(error, gpuGivenUp = false) {
    if (this.#end.signal.aborted) return;
    this.end(error);
    this.onEnd(gpuGivenUp);
  }
}
