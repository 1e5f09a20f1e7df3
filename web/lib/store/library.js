/** @file What is stored, seen as models: list, remove, and how much room they take. */

import { RerankError } from '../errors.js';
import { catalogueRelease, readCatalogue } from './catalogue.js';
import { isKept, readAll } from './database.js';
import { HUB } from './names.js';
import { CHUNK_BYTES } from './records.js';
import { readReleases, removeAll, removeRelease, usedPaths, wholeDtypes } from './releases.js';

/** @typedef {import('./sources.js').Release} Release */
/** @typedef {import('../../webrerank.js').ModelInfo} ModelInfo */
/** @typedef {import('../../webrerank.js').Dtype} Dtype */

/** Fields of a catalogue entry that say where its files are. */
const INTERNAL = ['folder', 'revision', 'files', 'models'];

/**
 * The catalogue's models, and all others that were used; each with what is stored of it.
 * @param {AbortSignal} signal
 * @returns {Promise<ModelInfo[]>}
 */
export async function listModels(signal) {
  // Without network, what is stored is listed all the same.
  const entries = await readCatalogue(signal).catch(() => []);
  const releases = await readReleases();
  /** @type {Map<string, number>} */
  const stored = new Map((await readAll('files')).map(({ sha256, bytes }) => [sha256, bytes]));
  const used = new Map(releases.map((release) => [release.name, release]));
  const known = entries.map((entry) => {
    const about = Object.entries(entry).filter(([name]) => !INTERNAL.includes(name));
    const state = stateOf(catalogueRelease(entry, HUB), used.get(entry.id), stored);
    return { ...Object.fromEntries(about), id: entry.id, ...state };
  });
  const ids = new Set(entries.map(({ id }) => id));
  const others = releases
    .filter(({ name }) => !ids.has(name))
    .map((release) => ({ id: release.name, ...stateOf(release, release, stored) }));
  return [...known, ...others];
}

/**
 * @param {Release} offered
 * @param {Release | undefined} kept what the name stands for here
 * @param {Map<string, number>} stored bytes by hash
 */
function stateOf(offered, kept, stored) {
  const hashes = kept ? usedPaths(kept).map((path) => kept.files[path]?.sha256 ?? '') : [];
  const storedBytes = [...new Set(hashes)].reduce((sum, hash) => sum + (stored.get(hash) ?? 0), 0);
  const whole = kept ? wholeDtypes(kept, new Set(stored.keys())) : [];
  const dtypes = Object.entries({ ...kept?.models, ...offered.models }).map(([dtype, path]) => {
    const bytes = (kept?.files[path] ?? offered.files[path])?.bytes ?? 0;
    return [dtype, { bytes, stored: whole.includes(/** @type {Dtype} */ (dtype)) }];
  });
  return {
    dtypes: Object.fromEntries(dtypes),
    storedBytes,
    lastUsed: kept ? new Date(kept.lastUsed) : null,
  };
}

/** Bytes of all that is stored, broken-off downloads included; shared files count once. */
export async function storedBytes() {
  const whole = (await readAll('files')).map(({ bytes }) => bytes);
  const begun = (await readAll('partials')).map(({ chunks }) => chunks.length * CHUNK_BYTES);
  return [...whole, ...begun].reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * Remove one model, or all. Files that another model shares stay.
 * @param {string | undefined} name under which it is kept
 */
export async function removeModels(name) {
  const removed = name === undefined ? await removeAll() : await removeRelease(name);
  // Where there is no database there is nothing to remove.
  if (removed || !(await isKept())) return;
  throw new RerankError('model_load', 'The browser did not remove the model. Try again.');
}
