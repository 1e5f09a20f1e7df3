/**
 * @file The Python worker's end of one inference session. Python drives it through JS interop:
 * `run` gives a promise, `drop` takes a run out of the queue.
 */

import { RerankError } from '../lib/errors.js';
import { OwedAnswers, PATIENCE_MS, withinTime } from '../lib/patience.js';

export class SessionPort {
  #port;
  /** @type {Map<number, { resolve(value: any): void, reject(error: unknown): void }>} */
  #runs = new Map();
  /** @type {number | null} the run that the session is at */
  #computing = null;
  /** Also of runs that were dropped, until the session says that it has let go of them. */
  #owed = new OwedAnswers((_id, limitMs) => this.#fallSilent(limitMs));
  /** It did not answer in time, and has said nothing since: what it is asked fails at once. */
  #silent = '';

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
      if (this.#silent) return reject(crashed(this.#silent));
      this.#port.postMessage(
        { type: 'run', id, feeds, output, rows, length },
        Object.values(feeds).map((array) => array.buffer),
      );
      this.#runs.set(id, { resolve, reject });
      this.#owed.expect(id, PATIENCE_MS.session + PATIENCE_MS.token * rows * length);
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
  }

  /** Whether the session has something to answer, and has not been silent for too long. */
  get busy() {
    return this.#runs.size > 0;
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
    this.#fail('ended');
    this.#owed.clear();
    this.#port.close();
  }

  /** @param {import('../lib/protocol.js').FromSession} message */
  #receive(message) {
    this.#silent = '';
    this.#owed.heard();
    if (message.type === 'begun') {
      this.#computing = message.id;
      return;
    }
    this.#owed.settle(message.id);
    if (message.type === 'dropped') return;
    this.#computing = null;
    const run = this.#runs.get(message.id);
    this.#runs.delete(message.id);
    if (message.type === 'logits') run?.resolve(message.logits);
    else run?.reject(RerankError.fromJSON(message.error));
  }

  /** @param {number} limitMs */
  #fallSilent(limitMs) {
    this.#silent = `has not answered for ${Math.round(limitMs / 1000)} seconds`;
    this.#owed.clear();
    this.#fail(this.#silent);
  }

  /** @param {string} what happened, to all runs that are left */
  #fail(what) {
    for (const run of this.#runs.values()) run.reject(crashed(what));
    this.#runs.clear();
    this.#computing = null;
  }
}

/**
 * Wait for another session in place of the last, but not for ever; Python waits through this.
 * @param {{ copy(): Promise<unknown> }} attached a coroutine of Python's. Awaiting its proxy would
 *   free it, and Pyodide frees the one it made by itself.
 */
export const replacedInTime = (attached) =>
  withinTime(attached.copy(), PATIENCE_MS.replacement, () =>
    crashed('could not be replaced in time, and none is left'),
  );

/** @param {string} what */
const crashed = (what) =>
  new RerankError(
    'worker_crashed',
    `An inference session ${what}. Call again: a new one is started.`,
  );
