/**
 * @file The Python worker's end of one inference session. Python drives it through JS interop:
 * `run` gives a promise, `drop` takes a run out of the queue.
 */

import { errorFromWire, RerankError } from '../lib/errors.js';

/** A session that has runs and answers none for this long is given up, ms. */
const SILENCE_MS = 90_000;

export class SessionPort {
  #port;
  /** @type {Map<number, { resolve(value: any): void, reject(error: unknown): void }>} */
  #runs = new Map();
  /** @type {number | null} the run that the session is at */
  #computing = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #silence;

  /** @param {MessagePort} port */
  constructor(port) {
    this.#port = port;
    port.onmessage = (event) => this.#receive(event.data);
  }

  /**
   * Run a batch; see lib/protocol.js for what it is.
   * @param {number} id
   * @param {import('../lib/protocol.js').Feeds} feeds
   * @param {string} output
   * @param {number} rows
   * @param {number} length
   * @returns {Promise<Float32Array | undefined>} logits of shape (rows, n_logits), flat; undefined if
   *   the session ended, and not because of it
   */
  run(id, feeds, output, rows, length) {
    return new Promise((resolve, reject) => {
      this.#runs.set(id, { resolve, reject });
      this.#port.postMessage(
        { type: 'run', id, feeds, output, rows, length },
        Object.values(feeds).map((array) => array.buffer),
      );
      this.#watch();
    });
  }

  /**
   * A run is no longer wanted. If it has begun it goes on, and its answer is ignored. Its promise
   * rejects all the same: Pyodide keeps what waits for one until it settles, cancelled or not.
   * @param {number} id
   */
  drop(id) {
    this.#runs.get(id)?.reject(new DOMException('The run was dropped.', 'AbortError'));
    this.#runs.delete(id);
    this.#port.postMessage({ type: 'drop', id });
    this.#watch();
  }

  /** Whether the session is at a run that was dropped. */
  get computingCancelled() {
    return this.#computing !== null && !this.#runs.has(this.#computing);
  }

  /**
   * The session is gone: the run it was at rejects; the others may run elsewhere.
   * @param {boolean} stopped it did not die, so the run it was at is not to blame either
   */
  close(stopped) {
    for (const [id, run] of this.#runs) {
      if (stopped || id !== this.#computing) run.resolve(undefined);
    }
    this.#giveUp('ended');
    this.#port.close();
  }

  /** @param {import('../lib/protocol.js').FromSession} message */
  #receive(message) {
    if (message.type === 'begun') {
      this.#computing = message.id;
      return;
    }
    this.#computing = null;
    const run = this.#runs.get(message.id);
    this.#runs.delete(message.id);
    this.#watch();
    if (message.type === 'logits') run?.resolve(message.logits);
    else run?.reject(errorFromWire(message.error));
  }

  /** @param {string} what */
  #giveUp(what) {
    const error = new RerankError(
      'worker_crashed',
      `An inference session ${what}. Call again: a new one is started.`,
    );
    for (const run of this.#runs.values()) run.reject(error);
    this.#runs.clear();
    this.#computing = null;
    this.#watch();
  }

  #watch() {
    clearTimeout(this.#silence);
    if (!this.#runs.size) return;
    this.#silence = setTimeout(() => this.#giveUp('has not answered for 90 seconds'), SILENCE_MS);
  }
}
