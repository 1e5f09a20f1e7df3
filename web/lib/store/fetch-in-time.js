/** @file fetch for what is answered at once or not at all: lists of files, parts, headers. */

import { PATIENCE_MS, SilenceClock } from '../patience.js';

/** Such a question is asked so often. With the patience it stays below that of the page. */
export const FEW_ATTEMPTS = 3;

/**
 * @param {string} url
 * @param {RequestInit & { signal: AbortSignal }} init
 * @returns {Promise<Response>} rejects if no headers come in time
 */
export async function fetchInTime(url, { signal, ...init }) {
  const late = new AbortController();
  const clock = new SilenceClock(() => late.abort(new Error('The host did not answer in time.')));
  clock.start(PATIENCE_MS.host);
  try {
    return await fetch(url, { ...init, signal: AbortSignal.any([signal, late.signal]) });
  } finally {
    clock.stop();
  }
}
