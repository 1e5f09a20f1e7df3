/**
 * @file The worker's end of lib/worker-client.js: answers calls, hears cancels. Knows no names
 * of calls; each worker brings its own handlers.
 */

import './fetch.js';
import { errorToWire, RerankError } from '../lib/errors.js';
import { PROTOCOL } from '../lib/protocol.js';

/**
 * @typedef {{ signal: AbortSignal, emit: (value: any) => void }} Context
 * @typedef {(payload: any, context: Context) => any} Handler may be async
 */

/**
 * Answer calls with the handlers given.
 * @param {Record<string, Handler>} handlers
 */
export function serve(handlers) {
  const scope = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (self));
  /** @type {Map<number, AbortController>} */
  const running = new Map();

  scope.onmessage = async ({ data }) => {
    /** @type {import('../lib/protocol.js').ToWorker} */
    const message = data ?? {}; // what is no message at all is answered as one of another release
    if (message.type === 'cancel') {
      running.get(message.id)?.abort();
      return;
    }
    const { id } = message;
    const controller = new AbortController();
    const { signal } = controller;
    running.set(id, controller);
    try {
      const answer = await call(handlers, message, {
        signal,
        emit: (value) => scope.postMessage({ id, type: 'event', value }),
      });
      scope.postMessage({ id, type: 'done', value: answer });
    } catch (error) {
      if (signal.aborted) scope.postMessage({ id, type: 'cancelled' });
      else scope.postMessage({ id, type: 'failed', error: errorToWire(error) });
    } finally {
      running.delete(id);
    }
  };
  scope.postMessage({ id: 0, type: 'started' });
}

/**
 * @param {Record<string, Handler>} handlers
 * @param {import('../lib/protocol.js').CallMessage} message
 * @param {Context} context
 */
async function call(handlers, message, context) {
  if (message.v !== PROTOCOL || !Object.hasOwn(handlers, message.name)) {
    throw new RerankError(
      'worker_crashed',
      'The page and its worker are of two releases. Reload the page.',
      { retryable: false },
    );
  }
  return handlers[message.name](message.payload, context);
}
