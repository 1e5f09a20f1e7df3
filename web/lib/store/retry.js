/** @file Asking again where that can help: after a lost connection or from a busy host, never a 404. */

import { RerankError } from '../errors.js';
import { FIRST_PAUSE_MS, PATIENCE_MS } from '../patience.js';

/** How often work that gets nowhere is tried. */
const ATTEMPTS = 5;

/** During a pause the page hears so often that this worker is alive, ms. */
const TELL_MS = 5_000;

/** As the cause of a RerankError: the same request may succeed. */
export class Retry extends Error {
  /** How long the host asked to wait, ms; 0 if it did not say. */
  waitMs = 0;
}

/**
 * What a busy host's answer says of trying again.
 * @param {Response} response
 */
export function retryOf({ headers }) {
  const retry = new Retry();
  const said = headers.get('retry-after') ?? '';
  const ms = /^\d+$/.test(said) ? Number(said) * 1000 : Date.parse(said) - Date.now();
  retry.waitMs = ms > 0 ? ms : 0;
  return retry;
}

/**
 * @template T
 * @param {() => Promise<T>} work what it rejects with is final if it is a RerankError not caused by Retry
 * @param {object} options
 * @param {AbortSignal} options.signal
 * @param {() => number} [options.progress] while it grows, the attempts count anew
 * @param {() => void} [options.tell] called now and then during a pause
 * @param {number} [options.attempts]
 * @returns {Promise<T>}
 */
export async function withRetries(work, { signal, progress = () => 0, tell, attempts = ATTEMPTS }) {
  for (let attempt = 1; ; attempt++) {
    const before = progress();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      const retry = error instanceof RerankError ? error.cause : new Retry();
      if (!(retry instanceof Retry) || (error instanceof RerankError && !error.retryable))
        throw error;
      if (progress() > before) attempt = 0;
      // A host that wants more time than anyone would watch is not asked before it.
      if (attempt >= attempts || retry.waitMs > PATIENCE_MS.retryAfter) throw error;
      const own = FIRST_PAUSE_MS * 2 ** Math.max(0, attempt - 1);
      await pause(Math.max(own, retry.waitMs), signal, tell);
    }
  }
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @param {() => void} [tell]
 */
async function pause(ms, signal, tell = () => {}) {
  const telling = setInterval(tell, TELL_MS);
  try {
    await new Promise((resolve, reject) => {
      const abort = () => (clearTimeout(timer), reject(signal.reason));
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', abort);
        resolve(undefined);
      }, ms);
      signal.addEventListener('abort', abort, { once: true });
    });
  } finally {
    clearInterval(telling);
  }
}
