/**
 * @file Everything that runs behind one reranker: the Python worker, the session workers, and the
 * model's files. Starts what can start together, replaces a session that died, ends it all.
 */

import { chooseForDevice, chooseSessions } from './device.js';
import { RerankError } from './errors.js';
import { LoadProgressMeter } from './progress.js';
import { DEFAULT_MODEL, withModelWorker } from './models.js';
import { disposed, WorkerClient, workerUrl } from './worker-client.js';

/** @typedef {import('../webrerank.js').RerankerOptions} RerankerOptions */
/** @typedef {import('./device.js').Choice} Choice */
/** @typedef {import('./store/open.js').ModelFiles} ModelFiles */

/** A session that dies this often in a row is not replaced again. */
const MOST_REPLACEMENTS = 3;

export class Engine {
  /** @type {WorkerClient} */
  #python;
  /** @type {(WorkerClient | null)[]} */
  #sessions = [];
  #replacements = 0;
  #cache = true;
  #ended = false;
  /** @type {ModelFiles | null} */
  #files = null;
  /** @type {Choice & { model: string, sessions: number }} */
  runtime = { model: '', device: 'wasm', dtype: 'q8', sessions: 0, fallback: null };
  /** False if the model will have to be downloaded again next time. */
  saved = true;
  /** Called once if the engine ends by itself; the reranker then starts a new one. */
  onEnd = () => {};

  /**
   * Start an engine; when the promise resolves it is ready and warm.
   * @param {RerankerOptions} options checked
   * @returns {Promise<Engine>}
   */
  static async start(options) {
    const engine = new Engine();
    try {
      await engine.#start(options);
      return engine;
    } catch (error) {
      engine.end();
      throw error;
    }
  }

  constructor() {
    this.#python = new WorkerClient(
      workerUrl('python-worker'),
      'webrerank Python worker',
      (error) => this.#fail(error),
    );
  }

  /** @param {RerankerOptions} options */
  async #start({
    model = DEFAULT_MODEL,
    device = 'auto',
    dtype = 'auto',
    sessions,
    cache = true,
    signal,
    onProgress,
  }) {
    this.#cache = cache;
    const meter = new LoadProgressMeter(onProgress);
    const booted = this.#python.call('boot', null, { signal, onEvent: meter.runtime });
    booted.catch(() => {}); // awaited below, after what may fail first

    await withModelWorker(async (client) => {
      const found = await client.call('resolve', { model }, { signal });
      const choice = await chooseForDevice(device, dtype, found.dtypes, signal);
      this.runtime = { ...this.runtime, ...choice, model: found.id };
      this.#spawnAll(sessions, found.bytes[choice.dtype]);
      const payload = { model, dtype: choice.dtype };
      this.#files = await client.call('open', payload, { signal, onEvent: meter.model });
    });
    const { bytes, saved } = /** @type {ModelFiles} */ (this.#files);
    this.#spawnAll(sessions, bytes); // a folder tells its size only now
    this.saved = saved;
    meter.phase('load');
    const loaded = Promise.all(this.#sessions.map((_, index) => this.#load(index, signal)));
    loaded.catch(() => {}); // awaited below; the Python worker's failure comes first
    await booted;
    await this.#python.call('load', this.#pythonModel(), { signal });
    const ports = await loaded;
    for (const [index, port] of ports.entries()) await this.#attach(index, port);
    meter.phase('warmup');
    await Promise.all(this.#sessions.map((client) => client?.call('warmup', null, { signal })));
    meter.done();
  }

  /** What Python needs of the model: three JSON texts and what to report. */
  #pythonModel() {
    const { config, tokenizer, tokenizerConfig } = /** @type {ModelFiles} */ (this.#files);
    return { config, tokenizer, tokenizerConfig, runtime: { ...this.runtime, cache: this.#cache } };
  }

  /**
   * Rerank; see lib/protocol.js for what goes in and out.
   * @param {import('./protocol.js').RerankPayload} payload
   * @param {{ signal: AbortSignal, onEvent: (event: import('./protocol.js').PairEvent) => void }} options
   * @returns {Promise<import('./protocol.js').RankingColumns>}
   */
  async rerank(payload, options) {
    try {
      return await this.#python.call('rerank', payload, options);
    } catch (error) {
      if (error instanceof RerankError && error.code === 'worker_crashed') this.#fail(error);
      throw error;
    }
  }

  /** End all workers; calls under way reject. */
  end(error = disposed()) {
    this.#ended = true;
    this.#files = null;
    this.#python.end(error);
    for (const client of this.#sessions) client?.end(error);
  }

  /**
   * Have as many sessions as fit the device and the model.
   * @param {number | undefined} asked
   * @param {number} modelBytes 0 if not known yet
   */
  #spawnAll(asked, modelBytes) {
    const count = chooseSessions(this.runtime.device, asked, modelBytes);
    this.runtime.sessions = count;
    for (const client of this.#sessions.splice(count)) client?.end(disposed());
    while (this.#sessions.length < count) this.#sessions.push(this.#spawn(this.#sessions.length));
  }

  /** @param {number} index */
  #spawn(index) {
    const client = new WorkerClient(
      workerUrl('session-worker'),
      `webrerank session ${index + 1}`,
      (error) => this.#replace(index, error),
    );
    // ONNX Runtime loads while the model does; a failure is told again by 'load'.
    client.call('boot', { device: this.runtime.device }).catch(() => {});
    return client;
  }

  /**
   * Load the model into a session.
   * @param {number} index
   * @param {AbortSignal} [signal]
   * @returns {Promise<MessagePort>} the other end of the session, for the Python worker
   */
  async #load(index, signal) {
    const { graph, externalData } = /** @type {ModelFiles} */ (this.#files);
    const { port1, port2 } = new MessageChannel();
    await this.#sessions[index]?.call(
      'load',
      { graph, externalData, port: port1 },
      { signal, transfer: [port1] },
    );
    return port2;
  }

  /**
   * @param {number} index
   * @param {MessagePort} port
   */
  #attach(index, port) {
    return this.#python.call('attach', { index, port }, { transfer: [port] });
  }

  /**
   * Tell Python that a session is gone, and start another in its place.
   * @param {number} index
   * @param {RerankError} error
   */
  async #replace(index, error) {
    if (this.#ended || !this.#files) return; // while starting, the start itself fails
    try {
      await this.#python.call('detach', { index });
      if (++this.#replacements > MOST_REPLACEMENTS) throw error;
      this.#sessions[index] = this.#spawn(index);
      await this.#attach(index, await this.#load(index));
      this.#replacements = 0;
    } catch {
      this.#fail(error);
    }
  }

  /** @param {RerankError} error */
  #fail(error) {
    this.end(error);
    this.onEnd();
  }
}
