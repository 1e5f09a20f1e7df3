/**
 * @file What the site's Content-Security-Policy refuses. A browser tells the script that failed
 * nothing of it ("Failed to fetch"), but sends an event of its own to the page or the worker.
 */

import { RerankError } from './errors.js';
import { PATIENCE_MS } from './patience.js';

/** What may govern a worker's script: browsers have changed it over the years. */
const WORKER_DIRECTIVES = ['worker-src', 'child-src', 'script-src', 'script-src-elem'];

/** Refusals that are kept: only the latest matter. */
const MOST_REFUSALS = 50;

/** How often is looked while a refusal may still be told. */
const LOOKS = 10;

/** The smallest module of WebAssembly: its magic number and its version. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** @type {{ directive: string, blocked: string }[]} */
const refusals = [];

globalThis.addEventListener?.('securitypolicyviolation', (/** @type {any} */ event) => {
  if (event.disposition === 'report') return;
  refusals.push({ directive: event.effectiveDirective, blocked: event.blockedURI });
  if (refusals.length > MOST_REFUSALS) refusals.shift();
});

/**
 * Whether the policy has refused an address. It is told a moment after the failure.
 * @param {string[]} directives
 * @param {string} url
 */
async function isRefused(directives, url) {
  const wasRefused = () =>
    refusals.some(
      ({ directive, blocked }) =>
        directives.includes(directive) &&
        // Browsers tell the address, its origin, or for the site itself a word.
        (blocked === 'self' || (blocked !== '' && url.startsWith(blocked))),
    );
  for (let look = 0; look < LOOKS && !wasRefused(); look++) {
    await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS.refusal / LOOKS));
  }
  return wasRefused();
}

/**
 * Whether the policy of the page does not let a worker start.
 * @param {string} url of its script
 */
export const isWorkerRefused = (url) => isRefused(WORKER_DIRECTIVES, url);

/**
 * Whether the policy does not let this page or worker connect to an address.
 * @param {string} url
 */
export async function isConnectionRefused(url) {
  if (await isRefused(['connect-src'], url)) return true;
  try {
    // WebKit tells workers of no refusal, but refuses one of these at once.
    new EventSource(url).close();
    return false;
  } catch {
    return true;
  }
}

/** @param {unknown} cause */
export const workersRefused = (cause) =>
  new RerankError(
    'runtime_load',
    "The Content-Security-Policy of this page does not let webrerank's workers start (worker-src). " +
      "Add 'self' to worker-src.",
    { cause, retryable: false },
  );

/**
 * Refuse to go on where WebAssembly does not run; what needs it may wait for ever.
 * @throws {RerankError} 'runtime_load'
 */
export async function checkWebAssembly() {
  if (!globalThis.WebAssembly) {
    throw new RerankError(
      'runtime_load',
      'The model runs in WebAssembly, which is switched off in this browser: its lockdown mode ' +
        'does that. Allow it for this site, or use another browser.',
      { retryable: false },
    );
  }
  try {
    await WebAssembly.instantiate(EMPTY_MODULE);
  } catch (cause) {
    throw new RerankError(
      'runtime_load',
      'The model runs in WebAssembly, which the Content-Security-Policy of this site forbids ' +
        "(script-src). Add 'wasm-unsafe-eval' to script-src in the header that comes with " +
        "webrerank's workers: a worker takes its policy from there.",
      { cause, retryable: false },
    );
  }
}
