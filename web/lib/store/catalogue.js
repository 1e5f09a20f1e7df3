/** @file The catalogue: web/catalogue.json, models known by name, with their hashes. */

import { RerankError } from '../errors.js';
import { whyNotLoaded } from '../own-files.js';
import { SITE } from '../site.js';
import { addressOf, hubFolder } from './names.js';

/** @typedef {import('./sources.js').Release} Release */
/** @typedef {import('../../webrerank.js').CatalogueEntry} CatalogueEntry */

/** It is of this release, and its folder is not SITE. */
const CATALOGUE = new URL('../../catalogue.json', import.meta.url);

/**
 * All entries, as they are in the file.
 * @param {AbortSignal} [signal]
 * @returns {Promise<any[]>}
 * @throws {RerankError} 'runtime_load' if the site does not answer with it
 */
export async function readCatalogue(signal) {
  try {
    const response = await fetch(CATALOGUE, { signal });
    return (await response.json()).models;
  } catch (cause) {
    signal?.throwIfAborted();
    const message =
      "This site's list of models, catalogue.json, cannot be read. Check the connection, then try again.";
    throw await whyNotLoaded([CATALOGUE.href], new RerankError('runtime_load', message, { cause }));
  }
}

/**
 * @param {string} id
 * @param {string} hub
 * @param {AbortSignal} signal
 * @returns {Promise<Release | null>}
 */
export async function findInCatalogue(id, hub, signal) {
  const entries = await readCatalogue(signal);
  const entry = entries.find((model) => model.id === id);
  return entry ? catalogueRelease(entry, hub) : null;
}

/**
 * @param {any} entry
 * @param {string} hub
 * @returns {Release}
 */
export function catalogueRelease({ id, folder, revision = null, files, models }, hub) {
  const base = folder ? new URL(folder, SITE).href : hubFolder(hub, id, revision);
  const specs = files.map((/** @type {any} */ { path, bytes = 0, sha256 = null }) => {
    // Where no hash is known, the pinned revision says which version it is.
    const validator = sha256 ? null : { etag: revision, date: null, length: 0 };
    return [path, { path, url: addressOf(base, path), bytes, sha256, validator }];
  });
  const from = { name: id, id, kind: /** @type {const} */ ('catalogue'), base, revision };
  return { ...from, models, files: Object.fromEntries(specs), used: {}, storedAt: 0, lastUsed: 0 };
}
