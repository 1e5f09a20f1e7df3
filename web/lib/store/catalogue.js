/** @file The catalogue: web/catalogue.json, models known by name, with their hashes. */

import { RerankError } from '../errors.js';
import { SITE } from '../site.js';

/** @typedef {import('./sources.js').Source} Source */
/** @typedef {import('../../webrerank.js').CatalogueEntry} CatalogueEntry */

/** It is of this release, and its folder is not SITE. */
const CATALOGUE = new URL('../../catalogue.json', import.meta.url);

/** Where hub models come from. */
export const HUB = 'https://huggingface.co';

/**
 * All entries, as they are in the file.
 * @param {AbortSignal} [signal]
 * @returns {Promise<any[]>}
 * @throws {RerankError} 'model_load' if the site does not answer with it
 */
export async function readCatalogue(signal) {
  try {
    const response = await fetch(CATALOGUE, { signal });
    return (await response.json()).models;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new RerankError(
      'model_load',
      'The list of models could not be read from this site. Check the connection and try again.',
      { cause },
    );
  }
}

/**
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<Source | null>}
 */
export async function findInCatalogue(id, signal) {
  const entries = await readCatalogue(signal);
  const entry = entries.find((model) => model.id === id);
  return entry ? catalogueSource(entry) : null;
}

/**
 * @param {any} entry
 * @returns {Source}
 */
export function catalogueSource({ id, folder, revision, files, models }) {
  const base = folder ? new URL(folder, SITE).href : hubFolder(id, revision);
  const specs = files.map((/** @type {any} */ { path, bytes = 0, sha256 = null }) => {
    const url = new URL(path, base).href;
    return [path, { key: sha256 ? `sha256:${sha256}` : url, path, url, bytes, sha256 }];
  });
  return { id, files: Object.fromEntries(specs), models, base };
}

/**
 * The folder of a hub model at a revision.
 * @param {string} id 'owner/name'
 * @param {string} revision a branch or a commit
 */
export const hubFolder = (id, revision) => `${HUB}/${id}/resolve/${encodeURIComponent(revision)}/`;
