/** @file Pure: what a model's name is: a hub id, a folder's address, or a name of its own. */

import { RerankError } from '../errors.js';
import { SITE } from '../site.js';

/** Where hub models come from, unless the caller names a mirror. */
export const HUB = 'https://huggingface.co';

/** What a hub calls the newest release of a model. */
export const NEWEST = 'main';

/** Words of a hub's addresses that a revision follows. */
const BEFORE_REVISION = ['tree', 'blob', 'resolve', 'raw', 'commit'];

/**
 * @typedef {object} ModelName
 * @property {'hub' | 'folder' | 'own'} kind
 * @property {string} name under which its release is kept
 * @property {string} id of a hub model: 'owner/name'
 * @property {string} revision of a hub model: a branch, a tag or a commit
 * @property {URL | null} folder
 */

/**
 * @param {string} model as the caller names it
 * @param {string} [hub] a mirror's address
 * @returns {ModelName}
 */
export function parseName(model, hub = HUB) {
  const page = [hub, HUB].find((base) => model.startsWith(`${base}/`));
  const found = page ? hubPage(model.slice(page.length + 1)) : null;
  if (found) return found;
  if (/^(https?:\/\/|\.{0,2}\/)/i.test(model)) {
    return { kind: 'folder', name: model, id: '', revision: '', folder: folderOf(model) };
  }
  const [, id, revision = NEWEST] = /^([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?$/.exec(model) ?? [];
  if (id) return hubModel(id, revision);
  return { kind: 'own', name: model, id: '', revision: '', folder: null };
}

/**
 * @param {string} id
 * @param {string} revision
 * @returns {ModelName}
 */
function hubModel(id, revision) {
  const name = revision === NEWEST ? id : `${id}@${revision}`;
  return { kind: 'hub', name, id, revision, folder: null };
}

/**
 * The model that a page of the hub shows: '/owner/name', '/owner/name/tree/revision/folder'.
 * @param {string} path
 */
function hubPage(path) {
  const parts = path.split(/[?#]/)[0].split('/').filter(Boolean);
  const [owner, name, word, revision] = parts;
  const isModel = [owner, name].every((part) => part && /^[\w.-]+$/.test(part));
  if (!isModel || (word && !BEFORE_REVISION.includes(word))) return null;
  return hubModel(`${owner}/${name}`, revision ? decoded(revision) : NEWEST);
}

/** @param {string} part of an address */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** @param {string} address absolute, or relative to the folder of webrerank.js */
function folderOf(address) {
  if (!URL.canParse(address, SITE)) {
    throw new RerankError(
      'invalid_request',
      'The address of the model folder must be a valid URL, absolute or relative to webrerank.js.',
    );
  }
  const folder = new URL(address, SITE);
  folder.hash = '';
  if (!folder.pathname.endsWith('/')) folder.pathname += '/';
  return folder;
}

/**
 * The address of a file in a model's folder. A query of the folder's address, such as a key, goes
 * with each of its files.
 * @param {string} base
 * @param {string} path
 */
export function addressOf(base, path) {
  const folder = new URL(base);
  const address = new URL(path.split('/').map(encodeURIComponent).join('/'), folder);
  address.search = folder.search;
  return address.href;
}

/**
 * The folder of a hub model at a revision.
 * @param {string} hub
 * @param {string} id 'owner/name'
 * @param {string} revision
 */
export const hubFolder = (hub, id, revision) =>
  `${hub}/${id}/resolve/${encodeURIComponent(revision)}/`;
