/**
 * @file The page's end of a worker: calls with ids, events, cancellation, and no way to hang.
 *
 * Must: a call settles exactly once; a worker that dies or falls silent rejects all that is
 * pending; an aborted call rejects at once, whatever the worker is doing.
 */

import { RerankError } from './errors.js';
import { whyNotStarted } from './own-files.js';
import { FIRST_PAUSE_MS, OwedAnswers, PATIENCE_MS } from './patience.js';
import { PROTOCOL } from './protocol.js';
import { startWorker } from './script-url.js';

/** @typedef {{ resolve(value: any): void, reject(error: unknown): void, onEvent?: (value: any) => void }} Pending */

/** So that nothing is read from an Object.prototype that the page has added to. */
const NOTHING = {
  signal: undefined,
  onEvent: undefined,
  transfer: undefined,
  patienceMs: undefined,
};

/** How often a script is loaded again that did not load, though nothing is wrong with it. */
const MOST_RETRIES = 3;

export class WorkerClient {
  /** @type {Worker} */
  #worker;
  #url;
  #nextId = 1;
  /** @type {Map<number, Pending>} */
  #pending = new Map();
  /** @type {RerankError | null} */
  #ended = null;
  /** Also of calls that were aborted, until the worker says that it has let go of them. */
  #owed = new OwedAnswers(() => this.#fallSilent());
  /** Whether the worker has said anything: until then, its script may not have loaded. */
  #started = false;
  /** @type {[message: import('./protocol.js').ToWorker, transfer: Transferable[]][]} until it has */
  #unsent = [];
  #retries = 0;
  #name;

  /**
   * @param {string | URL} url of a module worker
   * @param {string} name for developer tools
   * @param {(error: RerankError) => void} [onEnd] called once if the worker dies by itself
   */
  constructor(url, name, onEnd) {
    this.#url = url;
    this.#name = name;
    this.onEnd = onEnd;
    this.#worker = this.#start();
  }

  #start() {
    const worker = startWorker(this.#url, this.#name);
    worker.onmessage = (event) => this.#receive(event.data);
    worker.onmessageerror = () => this.#crash('sent a message that could not be read');
    worker.onerror = (event) => {
      event.preventDefault(); // reported through the calls
      if (this.#started) this.#crash('stopped with an error', event.message);
      else void this.#failToStart(event.message);
    };
    return worker;
  }

  /**
   * Ask the worker for something.
   * @param {string} name
   * @param {any} payload cloned, but for what is in `transfer`; not to be changed afterwards, as it
   *   is sent only once the worker has begun
   * @param {{ signal?: AbortSignal, onEvent?: (value: any) => void, transfer?: Transferable[], patienceMs?: number }} [options]
   *   patienceMs: how long the worker may say nothing
   * @returns {Promise<any>} rejects with a RerankError, or with `signal.reason` on abort
   */
  call(name, payload, options = {}) {
    const given = { ...NOTHING, ...options };
    const { signal, onEvent, transfer = [], patienceMs = PATIENCE_MS.worker } = given;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#ended) return reject(this.#ended);
      const id = this.#nextId++;
      const settle = () => {
        signal?.removeEventListener('abort', abort);
        this.#pending.delete(id);
      };
      const abort = () => {
        settle();
        this.#send({ v: PROTOCOL, id, type: 'cancel' }, []);
        reject(signal?.reason);
      };
      this.#pending.set(id, {
        resolve: (value) => (settle(), resolve(value)),
        reject: (error) => (settle(), reject(error)),
        onEvent,
      });
      signal?.addEventListener('abort', abort);
      this.#owed.expect(id, patienceMs);
      this.#send({ v: PROTOCOL, id, type: 'call', name, payload }, transfer);
    });
  }

  /**
   * @param {import('./protocol.js').ToWorker} message
   * @param {Transferable[]} transfer
   */
  #send(message, transfer) {
    if (!this.#started) return void this.#unsent.push([message, transfer]);
    try {
      this.#worker.postMessage(message, transfer);
    } catch (cause) {
      this.#owed.settle(message.id);
      const words =
        'The request could not be handed to a worker: it may be too large. Give fewer documents at once.';
      this.#pending.get(message.id)?.reject(new RerankError('out_of_memory', words, { cause }));
    }
  }

  /**
   * End the worker; calls under way reject with the error given.
   * @param {RerankError} error
   */
  end(error) {
    if (this.#ended) return;
    this.#ended = error;
    this.#worker.terminate();
    this.#owed.clear();
    this.#unsent = [];
    for (const pending of [...this.#pending.values()]) pending.reject(error);
  }

  /** @param {import('./protocol.js').FromWorker} message */
  #receive(message) {
    this.#started = true;
    this.#owed.heard();
    for (const given of this.#unsent.splice(0)) this.#send(...given);
    if (message.type === 'started' || message.type === 'alive') return;
    if (message.type !== 'event') this.#owed.settle(message.id);
    const pending = this.#pending.get(message.id);
    if (!pending) return; // aborted meanwhile
    if (message.type === 'event') pending.onEvent?.(message.value);
    else if (message.type === 'done') pending.resolve(message.value);
    else if (message.type === 'failed') pending.reject(RerankError.fromJSON(message.error));
    else
      pending.reject(
        new RerankError(
          'internal',
          `The ${this.#name} cancelled a call by itself. Report it with what you did.`,
        ),
      );
  }

  #fallSilent() {
    if (this.#started) return this.#crash('has not answered in time');
    this.#crash('did not start in time', 'its script, or a file that this imports, did not arrive');
  }

  /**
   * @param {string} what
   * @param {string} [cause]
   */
  #crash(what, cause) {
    const options = { cause: cause && new Error(cause) };
    this.#giveUp(
      new RerankError(
        'worker_crashed',
        `The ${this.#name} ${what}. Call again: a new one is started.`,
        options,
      ),
    );
  }

  /**
   * @param {string} [cause] what the script threw; nothing if it did not load
   */
  async #failToStart(cause) {
    const otherwise = new RerankError(
      'worker_crashed',
      `The ${this.#name} stopped while it started. Reload the page and try again.`,
      { cause: cause && new Error(cause) },
    );
    const reason = await whyNotStarted(String(this.#url), otherwise);
    // WebKit drops a script now and then where workers start at once (docs/platform.md).
    const mayRetry = reason === otherwise && !cause && this.#retries < MOST_RETRIES;
    if (!mayRetry) return this.#giveUp(reason);
    setTimeout(() => this.#retry(), FIRST_PAUSE_MS * 2 ** this.#retries++);
  }

  #retry() {
    if (this.#ended || this.#started) return; // a browser may tell one failure twice
    this.#worker.terminate();
    try {
      this.#worker = this.#start();
    } catch (error) {
      this.#giveUp(/** @type {RerankError} */ (error));
    }
  }

  /** @param {RerankError} error */
  #giveUp(error) {
    if (this.#ended) return;
    this.end(error);
    this.onEnd?.(error);
  }
}

/** What calls reject with after dispose(). */
export const disposed = () =>
  new RerankError('disposed', 'The reranker was disposed of. Create a new one.');
