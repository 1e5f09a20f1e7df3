/**
 * @file From what the caller names to a release of a model, as its source has it now: the
 * catalogue, a hub, a folder on a web server.
 */

import { RerankError } from '../errors.js';
import { PATIENCE_MS, withinTime } from '../patience.js';
import { findInCatalogue } from './catalogue.js';
import { folderRelease } from './folder.js';
import { hubRelease, isCommit } from './hub.js';
import { addressOf } from './names.js';

/** @typedef {import('../../webrerank.js').Dtype} Dtype */
/** @typedef {import('./names.js').ModelName} ModelName */
/** @typedef {import('./validators.js').Validator} Validator */

/**
 * @typedef {object} FileSpec
 * @property {string} path inside the model's folder
 * @property {string | null} url null if it can only come from this device
 * @property {number} bytes 0 if not known
 * @property {string | null} sha256 of its content, hex; null if not known yet
 * @property {Validator | null} validator which version of it the source has
 * @property {Blob} [blob] a file from disk, read where it lies
 */

/**
 * One release of a model: files that belong together. What a source lists is a release of which
 * nothing may be stored; what a name refers to in the database is one of which all files of the
 * precisions in `used` are.
 * @typedef {object} Release
 * @property {string} name what it is kept under
 * @property {string} id
 * @property {'catalogue' | 'hub' | 'folder' | 'disk'} kind
 * @property {string | null} base URL of the folder; null for files from disk
 * @property {string | null} revision of a hub model
 * @property {Record<string, FileSpec>} files by path; of a folder only those that were asked for
 * @property {Partial<Record<Dtype, string>>} models the path of each precision
 * @property {Partial<Record<Dtype, string[]>>} used the paths of all files that each precision
 *   which was opened needs
 * @property {number} storedAt milliseconds since 1970; 0 if not stored
 * @property {number} lastUsed the same
 */

/**
 * @typedef {object} Question
 * @property {string} hub
 * @property {AbortSignal} signal
 * @property {Release} [stored] what is stored under the name
 * @property {boolean} [newest] ask even where what is stored is pinned
 * @property {'HEAD' | 'GET'} [method] of asking a folder
 */

/**
 * Ask the source of a model for its release.
 * @param {ModelName} named
 * @param {Question} question
 * @returns {Promise<Release | null>} null if nobody has to be asked, or can be
 * @throws {RerankError} if the source does not answer, or has no such model
 */
export async function askSource(named, { hub, signal, stored, newest = false, method }) {
  if (named.kind === 'folder') {
    const known = Object.values(stored?.used ?? {}).flat();
    return folderRelease(named, signal, { known, method });
  }
  const isPinned = stored?.kind === 'hub' && isCommit(stored.revision);
  if (isPinned && !newest) return null;
  const known = await findInCatalogue(named.name, hub, signal);
  if (known) return known;
  if (stored?.kind === 'disk') return null; // a name of the user's own
  if (named.kind === 'hub') return hubRelease(named, hub, signal);
  throw new RerankError(
    'invalid_request',
    "The model is not known. Give an id of the catalogue (models.list() has them), a hub's " +
      "'owner/name' or 'owner/name@revision', the URL of a folder (a relative folder starts with " +
      './ or ../), or files.',
  );
}

/**
 * The same for a model that is stored: a slow host or none must not hold it up.
 * @param {ModelName} named
 * @param {Question} question
 * @returns {Promise<Release | null>} null if there is no answer
 */
export async function askForNews(named, question) {
  const late = new AbortController();
  const signal = AbortSignal.any([question.signal, late.signal]);
  try {
    const asking = askSource(named, { ...question, signal });
    return await withinTime(asking, PATIENCE_MS.news, () => new Error('late'));
  } catch {
    question.signal.throwIfAborted();
    return null;
  } finally {
    late.abort();
  }
}

/**
 * The file of a release at a path; one that a folder was not asked for may still be there.
 * @param {Release} release
 * @param {string} path
 * @returns {FileSpec | null}
 */
export function fileOf({ files, kind, base }, path) {
  if (Object.hasOwn(files, path)) return files[path];
  // Files chosen side by side have no folders.
  if (kind === 'disk') return files[path.slice(path.lastIndexOf('/') + 1)] ?? null;
  if (kind === 'hub' || !base) return null; // what these list is all there is
  return { path, url: addressOf(base, path), bytes: 0, sha256: null, validator: null };
}
