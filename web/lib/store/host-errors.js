/**
 * @file Why a model's host did not give a file, as far as a browser tells: of another site it hides
 * whether the site refused, was not reached, or never asked.
 */

import { RerankError } from '../errors.js';
import { isConnectionRefused } from '../policy.js';
import { Retry } from './retry.js';

/** Answers after which the same request may succeed. */
export const isPassing = (/** @type {number} */ status) =>
  status >= 500 || [408, 425, 429].includes(status);

/**
 * A host's answer that is no file.
 * @param {string} what the file, as the subject of a sentence
 * @param {number} status
 * @param {unknown} [cause]
 */
export function badAnswer(what, status, cause) {
  if (isPassing(status)) {
    const wait = cause instanceof Retry ? Math.ceil(cause.waitMs / 1000) : 0;
    const when = wait ? `in ${wait} seconds` : 'later';
    return new RerankError(
      'model_load',
      `${what} was not sent: the host answered ${status}, as when it is busy. Try again ${when}.`,
      { cause },
    );
  }
  if ([401, 403, 407, 451].includes(status)) {
    return new RerankError(
      'model_load',
      `${what} was not sent: the host answered ${status}, so it wants a login, or does not serve ` +
        'this site. Use a public address, or copy the model to your own site.',
      { cause, retryable: false },
    );
  }
  return new RerankError(
    'model_load',
    `${what} was not found: the host answered ${status}. Check the name or the address.`,
    { cause },
  );
}

/**
 * Why `fetch` rejected.
 * @param {string} what the file, as the subject of a sentence
 * @param {string} url
 * @param {unknown} cause
 * @param {AbortSignal} [signal]
 * @returns {Promise<RerankError>}
 */
export async function unreachable(what, url, cause, signal) {
  const { origin, protocol } = new URL(url);
  if (await isConnectionRefused(url)) {
    return new RerankError(
      'model_load',
      `${what} was not asked for: the Content-Security-Policy of this site does not let it ` +
        `connect to ${origin}, or to where that redirects (connect-src). Add these addresses to ` +
        "connect-src in the header that comes with webrerank's workers: a worker takes its policy " +
        'from there.',
      { cause, retryable: false },
    );
  }
  if (location.protocol === 'https:' && protocol === 'http:') {
    return new RerankError(
      'model_load',
      `${what} was not asked for: a page that comes over https may not load from ${origin}. Use ` +
        'an address that begins with https.',
      { cause, retryable: false },
    );
  }
  if (origin !== location.origin && (await answersOthers(url, signal))) {
    return new RerankError(
      'model_load',
      `${what} may not be read by this site: ${origin} answers without the header ` +
        'Access-Control-Allow-Origin, as some do where they want a login. Set it on that host, or ' +
        'copy the model to your own site.',
      { cause, retryable: false },
    );
  }
  return new RerankError(
    'model_load',
    `${what} could not be loaded: ${origin} cannot be reached. Check the address and the ` +
      'connection, then try again: what was loaded is kept.',
    { cause },
  );
}

/**
 * Whether a host answers at all: asked so that the answer need not be readable.
 * @param {string} url
 * @param {AbortSignal} [signal]
 */
async function answersOthers(url, signal) {
  const options = /** @type {RequestInit} */ ({ method: 'HEAD', mode: 'no-cors', signal });
  return fetch(url, options).then(
    () => true,
    () => false,
  );
}
