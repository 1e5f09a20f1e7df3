/**
 * @file The session workers of an engine: started, loaded, replaced when one dies, ended.
 *
 * Must: a session that dies is replaced while the others go on; one that keeps dying ends the
 * engine; too little memory for all means fewer, not none.
 */

import { RerankError } from './errors.js';
import { workerUrl } from './script-url.js';
import { disposed, LOADING_MS, WorkerClient } from './worker-client.js';

/** @typedef {import('../webrerank.js').Device} Device */
/** @typedef {import('./store/open.js').ModelFiles} ModelFiles */
/** @typedef {{ index: number, port: MessagePort }} LoadedSession */

/**
 * Pairs to run by hand, shape (rows, length).
 * @typedef {object} Batch
 * @property {BigInt64Array} inputIds
 * @property {BigInt64Array} attentionMask
 * @property {BigInt64Array} tokenTypeIds
 * @property {number} rows
 * @property {number} length
 */

/**
 * @typedef {object} SessionEvents
 * @property {(index: number) => Promise<void>} onLost before a replacement is started
 * @property {(session: LoadedSession) => Promise<void>} onReplaced
 * @property {(error: RerankError) => void} onGivenUp
 */

/** How often sessions may die before they are given up; a GPU that was lost twice is not trusted. */
const MOST_LOSSES = { wasm: 10, webgpu: 1 };

export class SessionWorkers {
  /** @type {Map<number, WorkerClient>} */
  #clients = new Map();
  #nextIndex = 0;
  #device;
  #events;
  #losses = 0;
  /** @type {ModelFiles | null} set once all are loaded: from then on one that dies is replaced */
  #files = null;

  /**
   * @param {Device} device
   * @param {SessionEvents} events
   */
  constructor(device, events) {
    this.#device = device;
    this.#events = events;
  }

  /** @param {number} index */
  has(index) {
    return this.#clients.has(index);
  }

  get count() {
    return this.#clients.size;
  }

  /**
   * Have this many; ONNX Runtime starts to load at once.
   * @param {number} count
   */
  resize(count) {
    for (const index of [...this.#clients.keys()].slice(count)) this.#end(index, disposed());
    while (this.#clients.size < count) this.#spawn();
  }

  /**
   * Load the model into all; with too little memory for all, into fewer.
   * @param {ModelFiles} files
   * @param {AbortSignal} [signal]
   * @returns {Promise<LoadedSession[]>} at least one
   */
  async load(files, signal) {
    const indexes = [...this.#clients.keys()];
    const tried = await Promise.allSettled(
      indexes.map((index) => this.#load(index, files, signal)),
    );
    signal?.throwIfAborted();
    const loaded = tried
      .filter((result) => result.status === 'fulfilled')
      .map(({ value }) => value);
    for (const [place, result] of tried.entries()) {
      if (result.status === 'fulfilled') continue;
      this.#end(indexes[place], result.reason);
      const outOfMemory =
        result.reason instanceof RerankError && result.reason.code === 'out_of_memory';
      if (!outOfMemory || (!loaded.length && tried.length === 1)) throw result.reason;
    }
    if (!loaded.length) {
      this.resize(1); // alone, in a fresh worker, it may fit
      return this.load(files, signal);
    }
    this.#files = files;
    return loaded;
  }

  /**
   * Let each compile what it needs.
   * @param {AbortSignal} [signal]
   * @param {[rows: number, length: number][]} [shapes] by default the shortest
   */
  async warmUp(signal, shapes) {
    const clients = [...this.#clients.values()];
    const options = { signal, patienceMs: LOADING_MS };
    await Promise.all(clients.map((client) => client.call('warmup', { shapes }, options)));
  }

  /**
   * Run a batch by hand on the first session.
   * @param {Batch} batch
   * @param {AbortSignal} [signal]
   * @returns {Promise<number[]>} what the model gives, flat
   */
  async probe(batch, signal) {
    const [client] = this.#clients.values();
    return Array.from(await client.call('probe', batch, { signal }));
  }

  /**
   * End a session in mid-run and start another in its place.
   * @param {number} index
   */
  restart(index) {
    const client = this.#clients.get(index);
    if (!client || !this.#files) return;
    client.end(disposed());
    this.#losses--; // #replace takes it for a loss
    return this.#replace(index, disposed());
  }

  /** @param {RerankError} error what calls under way reject with */
  end(error) {
    this.#files = null;
    for (const index of [...this.#clients.keys()]) this.#end(index, error);
  }

  #spawn() {
    const index = this.#nextIndex++;
    const client = new WorkerClient(
      workerUrl('session-worker'),
      `webrerank session ${index + 1}`,
      (error) => this.#replace(index, error),
    );
    this.#clients.set(index, client);
    const options = { patienceMs: LOADING_MS };
    client.call('boot', { device: this.#device }, options).catch(() => {}); // told again by 'load'
    return index;
  }

  /**
   * @param {number} index
   * @param {ModelFiles} files
   * @param {AbortSignal} [signal]
   * @returns {Promise<LoadedSession>}
   */
  async #load(index, { graph, externalData }, signal) {
    const { port1, port2 } = new MessageChannel();
    const payload = { graph, externalData, port: port1 };
    await this.#clients
      .get(index)
      ?.call('load', payload, { signal, transfer: [port1], patienceMs: LOADING_MS });
    return { index, port: port2 };
  }

  /**
   * @param {number} index
   * @param {RerankError} error
   */
  async #replace(index, error) {
    this.#clients.delete(index);
    const files = this.#files;
    if (!files) return; // while loading, the load itself fails
    try {
      await this.#events.onLost(index);
      if (!this.#files) return; // ended meanwhile
      if (++this.#losses > MOST_LOSSES[this.#device]) throw error;
      const session = await this.#load(this.#spawn(), files);
      if (!this.#files) return;
      await this.#events.onReplaced(session);
    } catch {
      if (this.#files) this.#events.onGivenUp(error);
    }
  }

  /**
   * @param {number} index
   * @param {RerankError} error
   */
  #end(index, error) {
    this.#clients.get(index)?.end(error);
    this.#clients.delete(index);
  }
}
