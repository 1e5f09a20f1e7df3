/**
 * @file Why a part of webrerank itself did not load. A browser does not tell, so after a failure
 * this asks the host once more and looks at what it answers.
 */

import { RerankError } from './errors.js';
import { PATIENCE_MS, withinTime } from './patience.js';
import { isConnectionRefused, isWorkerRefused, workersRefused } from './policy.js';

/** What a browser runs as a module. */
const JAVASCRIPT = /^(text|application)\/(x-)?(java|ecma)script *(;|$)/i;

/** As a cause: the site has no such file. */
class NotFound extends Error {}

/**
 * Why a worker did not start.
 * @param {string} url of its script
 * @param {RerankError} otherwise if nothing wrong can be seen
 * @returns {Promise<RerankError>}
 */
export async function whyNotStarted(url, otherwise) {
  if (await isWorkerRefused(url)) return workersRefused(otherwise.cause);
  const fault = await faultOf(url, otherwise.cause);
  return fault?.cause instanceof NotFound ? moved(url, fault.cause) : (fault ?? otherwise);
}

/**
 * Why files did not load.
 * @param {string[]} urls of those that may be to blame, the likeliest first
 * @param {RerankError} otherwise if nothing wrong can be seen
 * @returns {Promise<RerankError>}
 */
export async function whyNotLoaded(urls, otherwise) {
  for (const url of urls) {
    const fault = await faultOf(url, otherwise.cause);
    if (fault) return fault;
  }
  return otherwise;
}

/**
 * @param {string} url
 * @param {unknown} cause
 * @returns {Promise<RerankError | null>}
 */
async function faultOf(url, cause) {
  const late = () => new Error('no answer in time');
  try {
    const response = await withinTime(fetch(url), PATIENCE_MS.look, late);
    response.body?.cancel().catch(() => {}); // the headers say it all
    return faultIn(response, url, cause);
  } catch (error) {
    return notFetched(url, cause ?? error);
  }
}

/**
 * @param {Response} response
 * @param {string} url
 * @param {unknown} cause
 */
function faultIn({ ok, status, headers }, url, cause) {
  const type = headers.get('content-type') ?? '';
  const page = ok && type.startsWith('text/html'); // as hosts of single-page apps answer
  if (page || [404, 410].includes(status)) return notFound(url, page ? 'a web page' : `${status}`);
  if (!ok) {
    return new RerankError(
      'runtime_load',
      `A part of webrerank could not be loaded: this site answers ${status} for ${url}. ` +
        'Try again later; if it stays so, look at what the host says of it.',
      { cause },
    );
  }
  if (/\.m?js$/.test(new URL(url).pathname) && !JAVASCRIPT.test(type)) {
    return wrongType(url, type.slice(0, 60) || 'no type', cause);
  }
  return null;
}

/**
 * @param {string} url
 * @param {string} answer
 */
function notFound(url, answer) {
  return new RerankError(
    'runtime_load',
    `A part of webrerank is missing: this site answers ${answer} for ${url}. Copy the whole dist/ ` +
      'folder to the site, with what lies in its vendor/ folder.',
    { cause: new NotFound(`the site answers ${answer}`) },
  );
}

/**
 * The script is here, and its workers are not: that is no passing fault.
 * @param {string} url
 * @param {NotFound} cause
 */
function moved(url, cause) {
  return new RerankError(
    'runtime_load',
    `The workers of webrerank were not found beside its script: ${cause.message} for ${url}. ` +
      'A bundler may have moved the script, which takes no workers along. Copy the whole dist/ ' +
      'folder to your site, and import its webrerank.js by address, unbundled.',
    { cause, retryable: false },
  );
}

/**
 * @param {string} url
 * @param {string} type
 * @param {unknown} cause
 */
function wrongType(url, type, cause) {
  return new RerankError(
    'runtime_load',
    `A script of webrerank cannot run: this site sends ${url} as ${type}, and browsers take a ` +
      'module only as text/javascript. Set that type for .js and .mjs files on the host.',
    { cause, retryable: false },
  );
}

/**
 * @param {string} url
 * @param {unknown} cause
 */
async function notFetched(url, cause) {
  if (await isConnectionRefused(url)) {
    return new RerankError(
      'runtime_load',
      `The Content-Security-Policy of this site does not let webrerank fetch its own files ` +
        "(connect-src). Add 'self' to connect-src, also in the header that comes with webrerank's " +
        'workers: a worker takes its policy from there.',
      { cause, retryable: false },
    );
  }
  return new RerankError(
    'runtime_load',
    `A part of webrerank could not be loaded: this site does not answer for ${url}. Check the ` +
      'connection, then try again.',
    { cause },
  );
}
