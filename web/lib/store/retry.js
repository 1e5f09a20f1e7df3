/** @file Asking again where that can help: after a lost connection or from a busy host, never a 404. */

import { RerankError } from '../errors.js';

/** How often work that gets nowhere is tried again, and how long it waits at first, ms. */
const ATTEMPTS = 5;
const FIRST_WAIT_MS = 400;

/** As the cause of a RerankError: the same request may succeed. */
export class Retry extends Error {}

/**
 * @template T
 * @param {() => Promise<T>} work what it rejects with is final if it is a RerankError not caused by Retry
 * @param {AbortSignal} signal
 * @param {() => number} [progress] while it grows, the attempts count anew
 * @returns {Promise<T>}
 */
export async function withRetries(work, signal, progress = () => 0) {
  for (let attempt = 1; ; attempt++) {
    const before = progress();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RerankError && !(error.cause instanceof Retry)) throw error;
      if (progress() > before) attempt = 0;
      if (attempt >= ATTEMPTS) throw error;
      await pause(FIRST_WAIT_MS * 2 ** Math.max(0, attempt - 1), signal);
    }
  }
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => (clearTimeout(timer), reject(signal.reason));
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve(undefined);
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
  });
}
