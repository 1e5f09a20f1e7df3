/**
 * @file Models of the Hugging Face hub by 'owner/name': its tree API says which files there are,
 * how long, and for large ones the sha256. A redirect to its storage is followed by fetch, which
 * hides the hub's own headers; that is why nothing is read from them.
 */

import { RerankError } from '../errors.js';
import { HUB, hubFolder } from './catalogue.js';
import { Retry, withRetries } from './retry.js';
import { modelPaths } from './layout.js';

/** @typedef {import('./sources.js').Source} Source */
/** @typedef {import('./sources.js').FileSpec} FileSpec */

/** Pages of the tree that are read at most; one holds a thousand files. */
const MOST_PAGES = 5;

/**
 * @param {string} id 'owner/name'
 * @param {AbortSignal} signal
 * @returns {Promise<Source>}
 */
export async function hubSource(id, signal) {
  const { entries, commit } = await readTree(id, signal);
  const base = hubFolder(id, commit);
  /** @type {Record<string, FileSpec>} */
  const files = {};
  for (const { type, path, size, lfs } of entries) {
    if (type !== 'file') continue;
    // Small files have a git hash only, which is no sha256 of their bytes.
    const sha256 = lfs?.oid?.replace('sha256:', '') ?? null;
    const url = new URL(path, base).href;
    const key = sha256 ? `sha256:${sha256}` : url;
    files[path] = { key, path, url, bytes: lfs?.size ?? size ?? 0, sha256 };
  }
  const models = modelPaths((path) => Object.hasOwn(files, path));
  const missing = ['config.json', 'tokenizer.json'].filter((path) => !Object.hasOwn(files, path));
  if (!Object.keys(models).length) missing.push('an ONNX file in onnx/');
  if (missing.length) {
    throw new RerankError(
      'unsupported_model',
      `The hub's ${id} has no ${missing.join(', no ')}. Choose a repository with an ONNX export.`,
    );
  }
  return { id, files, models, base: null }; // the listing is complete: nothing is asked for on trust
}

/**
 * All files of a repository, and the commit they are of, so that a later change upstream cannot
 * mix two releases.
 * @param {string} id
 * @param {AbortSignal} signal
 */
async function readTree(id, signal) {
  /** @type {any[]} */
  const entries = [];
  let commit = 'main';
  /** @type {string | undefined} */
  let url = `${HUB}/api/models/${id}/tree/main?recursive=true`;
  for (let pages = 0; url && pages < MOST_PAGES; pages++) {
    const /** @type {string} */ address = url;
    const page = await withRetries(() => fetchTree(address, id, signal), signal);
    entries.push(...page.entries);
    commit = page.headers.get('x-repo-commit') ?? commit;
    url = page.headers.get('link')?.match(/<([^>]+)>;\s*rel="next"/)?.[1];
  }
  return { entries, commit };
}

/**
 * @param {string} url
 * @param {string} id
 * @param {AbortSignal} signal
 */
async function fetchTree(url, id, signal) {
  const response = await fetch(url, { signal }).catch((error) => {
    signal.throwIfAborted();
    const cause = new Retry('no answer', { cause: error });
    const message = `The hub cannot be reached to look for ${id}. Check the connection and try again.`;
    throw new RerankError('model_load', message, { cause });
  });
  const entries = response.ok ? await response.json().catch(() => null) : [];
  if (response.ok && Array.isArray(entries)) return { entries, headers: response.headers };
  // The hub answers 401 for a repository that does not exist as for a private one.
  if ([401, 403, 404].includes(response.status)) {
    throw new RerankError(
      'unsupported_model',
      `The hub has no public model ${id}. Check its name.`,
    );
  }
  const what = response.ok ? 'something that is no list of files' : `${response.status}`;
  throw new RerankError('model_load', `The hub answered ${what} for ${id}. Try again later.`, {
    cause: new Retry(),
  });
}
