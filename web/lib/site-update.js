/**
 * @file Says it when something could not be loaded because the site was updated meanwhile: the
 * files of this release may be gone from the server, and only a reload brings the new ones.
 */

import { RerankError } from './errors.js';
import { PATIENCE_MS } from './patience.js';
import { SITE } from './site.js';

/** What a missing file can show as. */
const CODES = ['runtime_load', 'worker_crashed', 'model_load', 'model_integrity'];

const OWN_RELEASE = /\/release\/(\w+)\/lib\//.exec(import.meta.url)?.[1];

/** @type {WeakSet<RerankError>} errors that were looked into already */
const known = new WeakSet();

/**
 * Look into a failure to load: the server's webrerank.js names the release that it has now.
 * @param {RerankError} error
 * @returns {Promise<RerankError>} the same, unless the site was updated
 */
export async function orSiteUpdate(error) {
  if (!CODES.includes(error.code) || known.has(error)) return error;
  const release = await publishedRelease();
  const updated = release && OWN_RELEASE && release !== OWN_RELEASE;
  const told = updated
    ? new RerankError(
        'runtime_load',
        'The site was updated, and files that this page needs are no longer there. Reload the page.',
        { cause: error },
      )
    : error;
  known.add(told);
  return told;
}

/**
 * Past the browser's cache, which thereby learns of the new release: the reload gets it.
 * @returns {Promise<string | undefined>}
 */
async function publishedRelease() {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS.site);
    const response = await fetch(`${SITE}webrerank.js`, { cache: 'reload', signal });
    return /\brelease\/(\w+)\/webrerank\.js/.exec(await response.text())?.[1];
  } catch {
    return undefined; // no answer: the failure is of another kind
  }
}
