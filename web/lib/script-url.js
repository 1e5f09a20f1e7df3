/**
 * @file The one place where an address becomes code: under Trusted Types (policy 'webrerank') only
 * our own workers may be started. Without them this is the address as it is.
 */

import { RerankError } from './errors.js';
import { workersRefused } from './policy.js';

/** In a variable, or webpack takes the folder for a file to bundle. */
const OWN_ADDRESS = import.meta.url;

/** Empty where a bundler has left no address that leads anywhere. */
const WORKERS = URL.canParse('../workers/', OWN_ADDRESS)
  ? new URL('../workers/', OWN_ADDRESS).href
  : '';

/** @type {{ createScriptURL(url: string): any } | undefined} */
const policy = createPolicy();

function createPolicy() {
  try {
    return /** @type {any} */ (globalThis).trustedTypes?.createPolicy('webrerank', {
      createScriptURL(/** @type {string} */ url) {
        if (url.startsWith(WORKERS)) return url;
        throw new TypeError('This is no worker of webrerank.');
      },
    });
  } catch {
    return undefined; // the site allows no policy of this name: it may not need one
  }
}

/**
 * The address of one of our workers.
 * @param {string} name
 * @returns {string | URL}
 * @throws {RerankError} 'runtime_load' if no worker can be started here
 */
export function workerUrl(name) {
  checkPlace();
  const { href } = new URL(`${name}.js`, WORKERS);
  return policy ? policy.createScriptURL(href) : href;
}

/**
 * Start a worker.
 * @param {string | URL} url of workerUrl
 * @param {string} name for developer tools
 * @throws {RerankError} 'runtime_load' if the browser refuses
 */
export function startWorker(url, name) {
  try {
    return new Worker(url, { type: 'module', name });
  } catch (cause) {
    if (cause instanceof DOMException) throw workersRefused(cause);
    throw new RerankError(
      'runtime_load',
      "The Content-Security-Policy of this page does not let webrerank's workers start " +
        '(require-trusted-types-for). Add webrerank to its trusted-types.',
      { cause, retryable: false },
    );
  }
}

/**
 * Refuse to go on where no worker can be started, and say why.
 * @throws {RerankError} 'runtime_load'
 */
export function checkPlace() {
  const { Worker, location } = globalThis;
  if (typeof Worker !== 'function' || !location) {
    throw cannotRun(
      'webrerank runs in a browser and was called outside of one, as in Node or while a page is ' +
        'rendered on a server. Call it in the browser only, such as from an effect or an event ' +
        'handler; on a server use the Python package.',
    );
  }
  const here = globalThis.origin ?? location.origin;
  if (location.protocol === 'file:') {
    throw cannotRun(
      'The page was opened as a file from disk, where browsers start no workers. Serve it over ' +
        'http, as with `python build.py serve`.',
    );
  }
  if (here === 'null') {
    throw cannotRun(
      'The page is in a sandbox without an origin, where browsers start no workers. Add ' +
        'allow-same-origin to the sandbox of its frame.',
    );
  }
  if (!WORKERS || WORKERS.startsWith('file:')) {
    throw cannotRun(
      'A bundler has moved webrerank.js, and it does not know any more where its workers are. Copy ' +
        'the whole dist/ folder to your site, and import its webrerank.js by address, unbundled.',
    );
  }
  const { origin } = new URL(WORKERS);
  if (origin !== here) {
    throw cannotRun(
      `webrerank.js was imported from ${origin}, and browsers start workers only of the page's own ` +
        'site. Copy the whole dist/ folder to the site of the page, and import it from there.',
    );
  }
}

/** @param {string} message */
const cannotRun = (message) => new RerankError('runtime_load', message, { retryable: false });
