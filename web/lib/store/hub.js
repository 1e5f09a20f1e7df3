/**
 * @file Models of the Hugging Face hub, or of a mirror, by 'owner/name': its tree API says which
 * files there are, how long, and for large ones the sha256. A redirect to its storage is followed
 * by fetch, which hides the hub's own headers; that is why nothing is read from them.
 */

import { RerankError } from '../errors.js';
import { FEW_ATTEMPTS, fetchInTime } from './fetch-in-time.js';
import { badAnswer, unreachable } from './host-errors.js';
import { addressOf, hubFolder } from './names.js';
import { Retry, retryOf, withRetries } from './retry.js';
import { modelPaths, REQUIRED_PATHS } from './layout.js';

/** @typedef {import('./sources.js').Release} Release */
/** @typedef {import('./sources.js').FileSpec} FileSpec */
/** @typedef {import('./names.js').ModelName} ModelName */

/** Pages of the tree that are read at most; one holds a thousand files. */
const MOST_PAGES = 5;

/**
 * @param {ModelName} named
 * @param {string} hub
 * @param {AbortSignal} signal
 * @returns {Promise<Release>}
 */
export async function hubRelease({ name, id, revision }, hub, signal) {
  const { entries, commit } = await readTree(hub, id, revision, signal);
  const base = hubFolder(hub, id, commit);
  /** @type {Record<string, FileSpec>} */
  const files = {};
  for (const { type, path, size, lfs, oid } of entries) {
    if (type !== 'file') continue;
    // Small files have a git hash only, which is no sha256 of their bytes; it tells versions apart.
    const sha256 = lfs?.oid?.replace('sha256:', '') ?? null;
    const validator = { etag: String(oid ?? commit), date: null, length: 0 };
    const bytes = lfs?.size ?? size ?? 0;
    files[path] = { path, url: addressOf(base, path), bytes, sha256, validator };
  }
  const models = modelPaths(Object.keys(files));
  const missing = REQUIRED_PATHS.filter((path) => !Object.hasOwn(files, path));
  if (!Object.keys(models).length) missing.push('ONNX file whose name tells its precision');
  if (missing.length) {
    throw new RerankError(
      'unsupported_model',
      `The hub's ${name} has no ${missing.join(' and no ')}. Choose a repository with an ONNX export.`,
    );
  }
  const from = { name, id: name, kind: /** @type {const} */ ('hub'), base, revision: commit };
  return { ...from, models, files, used: {}, storedAt: 0, lastUsed: 0 };
}

/**
 * All files of a repository, and the commit they are of, so that a later change upstream cannot
 * mix two releases.
 * @param {string} hub
 * @param {string} id
 * @param {string} revision
 * @param {AbortSignal} signal
 */
async function readTree(hub, id, revision, signal) {
  const { entries, commit } = await readPages(hub, id, revision, signal);
  if (commit || isCommit(revision)) return { entries, commit: commit ?? revision };
  // A mirror may hide the header that tells the commit.
  const told = await askCommit(hub, id, revision, signal);
  if (!told) return { entries, commit: revision };
  return { ...(await readPages(hub, id, told, signal)), commit: told };
}

/** @param {string | null} revision */
export const isCommit = (revision) => /^[0-9a-f]{40}$/.test(revision ?? '');

/**
 * @param {string} hub
 * @param {string} id
 * @param {string} revision
 * @param {AbortSignal} signal
 */
async function readPages(hub, id, revision, signal) {
  /** @type {any[]} */
  const entries = [];
  /** @type {string | null} */
  let commit = null;
  /** @type {string | undefined} */
  let url = `${hub}/api/models/${id}/tree/${encodeURIComponent(revision)}?recursive=true`;
  for (let pages = 0; url && pages < MOST_PAGES; pages++) {
    const /** @type {string} */ address = url;
    const retries = { signal, attempts: FEW_ATTEMPTS };
    const page = await withRetries(() => fetchTree(address, id, signal), retries).catch(
      async (error) => {
        if (signal.aborted || error instanceof RerankError) throw error;
        throw await unreachable(`The hub's list of files of ${id}`, address, error, signal);
      },
    );
    const told = page.headers.get('x-repo-commit');
    if (commit && told && told !== commit) throw changedMeanwhile(id);
    entries.push(...page.entries);
    commit = told ?? commit;
    url = page.headers.get('link')?.match(/<([^>]+)>;\s*rel="next"/)?.[1];
  }
  return { entries, commit };
}

/**
 * @param {string} hub
 * @param {string} id
 * @param {string} revision
 * @param {AbortSignal} signal
 * @returns {Promise<string | null>}
 */
async function askCommit(hub, id, revision, signal) {
  try {
    const url = `${hub}/api/models/${id}/revision/${encodeURIComponent(revision)}`;
    const { sha } = await (await fetchInTime(url, { signal })).json();
    return isCommit(sha) ? sha : null;
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

/** @param {string} id */
const changedMeanwhile = (id) =>
  new RerankError(
    'model_load',
    `The hub's ${id} was changed while its files were listed. Try again.`,
  );

/**
 * @param {string} url
 * @param {string} id
 * @param {AbortSignal} signal
 */
async function fetchTree(url, id, signal) {
  const response = await fetchInTime(url, { signal });
  const entries = response.ok ? await response.json().catch(() => null) : [];
  if (response.ok && Array.isArray(entries)) return { entries, headers: response.headers };
  // The hub answers 401 for a repository that does not exist as for a private one.
  if ([401, 403, 404].includes(response.status)) {
    throw new RerankError(
      'unsupported_model',
      `The hub has no public model ${id}, or not at this revision: the name is wrong, or it is private ` +
        'or behind a consent form. Check the name; of such a model, download the files and give ' +
        'them as files.',
    );
  }
  if (!response.ok) {
    throw badAnswer(`The hub's list of files of ${id}`, response.status, retryOf(response));
  }
  throw new RerankError(
    'model_load',
    `The hub's list of files of ${id} is none: something on the way has answered in its place. ` +
      'Check the connection, as for a login page, then try again.',
    { cause: new Retry() },
  );
}
