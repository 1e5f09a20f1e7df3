/** @file Abort signals: the two small things the platform leaves to its users. */

/**
 * Settle as the promise does, but reject with `signal.reason` at once on abort. The promise's own
 * later rejection is not reported as unhandled.
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<T>}
 */
export function abortable(promise, signal) {
  if (!signal) return promise;
  promise.catch(() => {});
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/**
 * Call a function of the user's: what it throws is reported, as from an event listener, and
 * spoils nothing.
 * @template T
 * @param {((value: T) => void) | undefined} callback
 * @param {T} value
 */
export function notify(callback, value) {
  try {
    callback?.(value);
  } catch (error) {
    reportError(error);
  }
}
