/**
 * @file The session workers of an engine: started, loaded, replaced when one dies, ended.
 *
 * Must: a session that dies is replaced while the others go on; one that keeps dying ends the
 * engine; too little memory for all means fewer, not none; what was ended starts no worker again.
 */

import { RerankError } from './errors.js';
import { PATIENCE_MS } from './patience.js';
import { workerUrl } from './script-url.js';
import { disposed, WorkerClient } from './worker-client.js';

/** @typedef {import('../webrerank.js').Device} Device */
/** @typedef {import('./store/open.js').ModelFiles} ModelFiles */
/** @typedef {Pick<ModelFiles, 'graph' | 'externalData'>} Weights what a session needs of a model */
/** @typedef {{ index: number, port: MessagePort, engine: import('../webrerank.js').Engine }} LoadedSession */

/** @typedef {import('./protocol.js').Batch} Batch */
/** @typedef {[rows: number, length: number]} Shape of a batch */

/**
 * @typedef {object} SessionEvents
 * @property {(index: number, stopped: boolean) => Promise<void>} onLost before a replacement is
 *   started; `stopped` by `restart`, not dead
 * @property {(session: LoadedSession) => Promise<void>} onReplaced
 * @property {() => void} onFewer one could not be replaced
 * @property {(error: RerankError) => void} onGivenUp none is left, or they keep dying
 */

/** How often sessions may die before they are given up; a GPU that was lost twice is not trusted. */
const MOST_LOSSES = { wasm: 10, webgpu: 1 };

export class SessionWorkers {
  /** @type {Map<number, WorkerClient>} */
  #clients = new Map();
  #nextIndex = 0;
  #device;
  #engine;
  #events;
  #losses = 0;
  /** @type {Weights | null} set once all are loaded: from then on one that dies is replaced */
  #files = null;
  /** @type {Set<number>} those that take the place of others, and are not ready yet */
  #loading = new Set();
  /** @type {RerankError | null} */
  #ended = null;
  /** @type {Shape[]} what sessions compile for in the background */
  #shapes = [];

  /**
   * @param {Device} device
   * @param {LoadedSession['engine'] | 'auto'} engine
   * @param {SessionEvents} events
   */
  constructor(device, engine, events) {
    this.#device = device;
    this.#engine = engine;
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
   * Have this many; their engine starts to load at once.
   * @param {number} count
   */
  resize(count) {
    if (this.#ended) throw this.#ended;
    for (const index of [...this.#clients.keys()].slice(count)) this.#end(index, disposed());
    while (this.#clients.size < count) this.#spawn();
  }

  /**
   * Load the model into all; with too little memory for all, into fewer.
   * @param {Weights} files
   * @param {AbortSignal} [signal]
   * @returns {Promise<LoadedSession[]>} at least one
   */
  async load(files, signal) {
    if (this.#ended) throw this.#ended;
    const indexes = [...this.#clients.keys()];
    const tried = await Promise.allSettled(
      indexes.map((index) => this.#load(index, files, signal)),
    );
    signal?.throwIfAborted();
    if (this.#ended) throw this.#ended;
    const loaded = tried
      .filter((result) => result.status === 'fulfilled')
      .map(({ value }) => value);
    for (const [place, result] of tried.entries()) {
      if (result.status === 'fulfilled') continue;
      this.#end(indexes[place], result.reason);
      const alone = !loaded.length && tried.length === 1;
      if (!isOutOfMemory(result.reason) || alone) throw result.reason;
    }
    if (!loaded.length) {
      this.resize(1); // alone, in a fresh worker, it may fit
      return this.load(files, signal);
    }
    this.#files = files;
    return loaded;
  }

  /**
   * Let each compile what any model needs.
   * @param {AbortSignal} [signal]
   */
  async warmUp(signal) {
    await Promise.all(this.#usable().map(([, client]) => client.call('warmup', {}, { signal })));
  }

  /**
   * Let each, and each that takes its place, compile for shapes while it can be used already: a
   * session runs what is asked between two of them.
   * @param {Shape[]} shapes
   */
  compileFor(shapes) {
    this.#shapes = shapes;
    for (const [index] of this.#usable()) this.#compile(index);
  }

  /** Those that have the model: one that takes the place of another may not yet. */
  #usable() {
    return [...this.#clients].filter(([index]) => !this.#loading.has(index));
  }

  /** @param {number} index */
  #compile(index) {
    if (!this.#shapes.length) return;
    const payload = { shapes: this.#shapes };
    const compiling = this.#clients
      .get(index)
      ?.call('warmup', payload, { patienceMs: PATIENCE_MS.loading });
    compiling?.catch(() => {}); // what fails here fails in a call too
  }

  /**
   * Run a batch by hand on the first session.
   * @param {Batch} batch
   * @param {AbortSignal} [signal]
   * @returns {Promise<number[]>} what the model gives, flat
   */
  async probe(batch, signal) {
    const [first] = this.#usable();
    if (!first) throw new RerankError('worker_crashed', 'The session ended. Call again.');
    return Array.from(await first[1].call('probe', batch, { signal }));
  }

  /**
   * End a session in mid-run and start another in its place.
   * @param {number} index
   */
  restart(index) {
    const client = this.#clients.get(index);
    if (!client || !this.#files) return;
    const error = new RerankError(
      'worker_crashed',
      'An inference session was stopped and did not start again. Call again.',
    );
    client.end(error);
    return this.#replace(index, error, true);
  }

  /** @param {RerankError} error what calls under way reject with */
  end(error) {
    this.#ended ??= error;
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
    const options = { patienceMs: PATIENCE_MS.loading };
    const payload = { device: this.#device, engine: this.#engine };
    client.call('boot', payload, options).catch(() => {}); // told again by 'load'
    return index;
  }

  /**
   * @param {number} index
   * @param {Weights} files
   * @param {AbortSignal} [signal]
   * @returns {Promise<LoadedSession>}
   */
  async #load(index, { graph, externalData }, signal) {
    const { port1, port2 } = new MessageChannel();
    const payload = { graph, externalData, port: port1 };
    const engine = await this.#clients
      .get(index)
      ?.call('load', payload, { signal, transfer: [port1], patienceMs: PATIENCE_MS.loading });
    return { index, port: port2, engine };
  }

  /**
   * @param {number} index
   * @param {RerankError} error
   * @param {boolean} [stopped]
   */
  async #replace(index, error, stopped = false) {
    this.#clients.delete(index);
    const files = this.#files;
    if (!files || this.#loading.has(index)) return; // the load itself fails
    if (!stopped) this.#losses++;
    const tooOften = this.#losses > MOST_LOSSES[this.#device];
    /** @type {number | undefined} */
    let fresh;
    try {
      await this.#events.onLost(index, stopped);
      if (!this.#files) return; // ended meanwhile
      if (tooOften) throw error;
      fresh = this.#spawn();
      this.#loading.add(fresh);
      const session = await this.#load(fresh, files);
      if (!this.#files) return;
      this.#loading.delete(fresh);
      await this.#events.onReplaced(session);
      this.#compile(fresh);
    } catch (cause) {
      if (!this.#files) return;
      if (fresh !== undefined) this.#end(fresh, disposed());
      if (!tooOften && this.#clients.size) return this.#events.onFewer(); // the others go on
      this.#events.onGivenUp(cause instanceof RerankError ? cause : error);
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

/** @param {unknown} error */
const isOutOfMemory = (error) => error instanceof RerankError && error.code === 'out_of_memory';
