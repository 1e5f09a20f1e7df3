/** @file What a name stands for: one whole release, changed as a whole. */

import { change, read, readAll, STORES } from './database.js';
import { chunksOfId, keyOf } from './files.js';
import { PATIENCE_MS } from '../patience.js';
import { CONFIG_PATHS } from './layout.js';
import { isChunkKey, isSound } from './records.js';
import { compare } from './validators.js';

/** @typedef {import('./sources.js').Release} Release */
/** @typedef {import('./sources.js').FileSpec} FileSpec */
/** @typedef {import('../../webrerank.js').Dtype} Dtype */

/** A download that was broken off is kept so long, ms. */
const KEEP_PARTIAL_MS = 30 * 24 * 3_600_000;

/**
 * @param {string} name
 * @returns {Promise<Release | undefined>}
 */
export const readRelease = (name) => read('releases', name);

/** @returns {Promise<Release[]>} */
export const readReleases = () => readAll('releases');

/**
 * The paths of all files that were used.
 * @param {Release} release
 */
export const usedPaths = ({ used }) => [...new Set(Object.values(used).flat())];

/** @param {Release} release */
const usedHashes = (release) =>
  usedPaths(release).map((path) => /** @type {string} */ (release.files[path]?.sha256));

/**
 * Which precisions of a release are stored whole.
 * @param {Release} release
 * @param {Set<string>} stored hashes of the files that are here
 * @returns {Dtype[]}
 */
export function wholeDtypes({ used, files, models }, stored) {
  const isHere = (/** @type {string} */ path) => stored.has(files[path]?.sha256 ?? '');
  const dtypes = /** @type {Dtype[]} */ (Object.keys(used));
  return dtypes.filter((dtype) => models[dtype] && used[dtype]?.every(isHere));
}

/** Hashes of all stored files. */
export const storedHashes = async () =>
  new Set((await readAll('files')).map(({ sha256 }) => String(sha256)));

/**
 * Which of the files that were used are other ones, or gone, in another release.
 * @param {Release} before
 * @param {Release} now
 * @returns {string[]} paths
 */
export function changedPaths(before, now) {
  const used = usedPaths(before);
  const changed = used.filter((path) => difference(before.files[path], now.files[path]) === true);
  const added = CONFIG_PATHS.filter((path) => now.files[path] && !used.includes(path));
  return used.length ? [...changed, ...added] : changed;
}

/**
 * Whether two files of the same path differ; null if nothing tells.
 * @param {FileSpec | undefined} one
 * @param {FileSpec | undefined} other
 */
function difference(one, other) {
  if (!one || !other) return true;
  if (one.sha256 && other.sha256) return one.sha256 !== other.sha256;
  const result = compare(one.validator, other.validator);
  return result === 'unknown' ? null : result === 'different';
}

/**
 * A release as its source lists it, with what is known of it from one that is stored: files that
 * are the same are not downloaded again.
 * @param {Release} listed
 * @param {Release} stored
 * @returns {Release}
 */
export function withWhatIsKnown(listed, stored) {
  // Where nothing at all has changed, a file of which nothing tells has not either.
  const unchanged = !changedPaths(stored, listed).length;
  const isSame = (/** @type {string} */ path) => {
    const differs = difference(stored.files[path], listed.files[path]);
    return differs === false || (unchanged && differs === null);
  };
  const files = Object.entries(listed.files).map(([path, spec]) => {
    const known = stored.files[path];
    if (!known?.sha256 || spec.sha256 || !isSame(path)) return [path, spec];
    return [path, { ...spec, sha256: known.sha256, bytes: known.bytes }];
  });
  const used = Object.entries(stored.used).filter(([dtype, paths]) => {
    const listedHere = listed.models[/** @type {Dtype} */ (dtype)];
    const configs = CONFIG_PATHS.filter((path) => listed.files[path]);
    const complete = configs.every((path) => paths.includes(path));
    return listedHere && paths.includes(listedHere) && complete && paths.every(isSame);
  });
  const { storedAt, lastUsed } = stored;
  const known = { files: Object.fromEntries(files), used: Object.fromEntries(used) };
  return { ...listed, ...known, storedAt, lastUsed };
}

/**
 * From now on the name stands for this release. Refused if a file that is used is not here: then
 * what it stood for before stays.
 * @param {Release} release
 * @returns {Promise<boolean>}
 */
export function commitRelease(release) {
  return change(['releases', 'files'], async (tx) => {
    const [releases, files] = [tx.objectStore('releases'), tx.objectStore('files')];
    const kept = await releases.get(release.name);
    const before = isSound('releases', kept) ? kept : null;
    // Another tab may have opened another precision of the same release meanwhile.
    const merged = before ? merge(release, before) : release;
    for (const path of usedPaths(release)) {
      const hash = merged.files[path]?.sha256;
      if (!hash || !(await files.getKey(hash))) throw new Error('a file is not here');
    }
    const now = Date.now();
    const isNew = !before || changedPaths(before, merged).length > 0;
    await releases.put({ ...merged, lastUsed: now, storedAt: isNew ? now : before.storedAt });
  });
}

/**
 * @param {Release} release
 * @param {Release} before
 * @returns {Release}
 */
function merge(release, before) {
  const known = withWhatIsKnown(release, before);
  return { ...known, used: { ...known.used, ...release.used } };
}

/**
 * Forget what a name stands for, and all files that no other name needs.
 * @param {string} name
 */
export function removeRelease(name) {
  const work = async (/** @type {any} */ tx) => {
    const [files, partials, chunks, releases] = STORES.map((store) => tx.objectStore(store));
    /** @type {Release[]} */
    const all = (await releases.getAll()).filter(isSoundRelease);
    const others = new Set(all.filter((release) => release.name !== name).flatMap(usedHashes));
    const own = all.filter((release) => release.name === name).flatMap(usedHashes);
    await releases.delete(name);
    for (const hash of own.filter((one) => !others.has(one))) {
      const file = await files.get(hash);
      await files.delete(hash);
      if (isSound('files', file)) await chunks.delete(chunksOfId(file.id));
    }
    for (const partial of await partials.getAll()) {
      if (partial.name !== name) continue;
      await partials.delete(partial.id);
      await chunks.delete(chunksOfId(partial.id));
    }
  };
  return change(STORES, work, PATIENCE_MS.worker);
}

/** Forget everything that is webrerank's. */
export function removeAll() {
  const work = async (/** @type {any} */ tx) => {
    for (const store of STORES) await tx.objectStore(store).clear();
  };
  return change(STORES, work, PATIENCE_MS.worker);
}

/**
 * Remove what no name refers to: files of releases that were replaced, and what a tab left that
 * was closed in the middle. Nobody may be at work meanwhile, see tabs.js.
 */
export const sweep = () => change(STORES, sweepIn);

/** @param {any} tx */
async function sweepIn(tx) {
  for (const store of STORES) await removeUnsound(tx.objectStore(store), store);
  const [files, partials, chunks, names] = STORES.map((store) => tx.objectStore(store));
  /** @type {Release[]} */
  const releases = await names.getAll();
  const needed = new Set(releases.flatMap(usedHashes));
  const kept = new Set();
  for (const { sha256, id } of await files.getAll()) {
    if (needed.has(sha256)) kept.add(id);
    else await files.delete(sha256);
  }
  for (const partial of await partials.getAll()) {
    if (isOfUse(partial, releases)) kept.add(partial.id);
    else await partials.delete(partial.id);
  }
  const ids = new Set((await chunks.getAllKeys()).map((/** @type {any[]} */ [id]) => id));
  for (const id of ids) if (!kept.has(id)) await chunks.delete(chunksOfId(id));
}

/**
 * @param {any} records
 * @param {import('./database.js').StoreName} store
 */
async function removeUnsound(records, store) {
  for (const key of await records.getAllKeys()) {
    // The bytes of chunks are looked at when they are read: here they would all be held in memory.
    const sound = store === 'chunks' ? isChunkKey(key) : isSound(store, await records.get(key));
    if (!sound) await records.delete(key);
  }
}

/** @param {unknown} record */
const isSoundRelease = (record) => isSound('releases', record);

/**
 * Whether anyone may go on with a download.
 * @param {import('./files.js').Partial} partial
 * @param {Release[]} releases
 */
function isOfUse({ key, name, at }, releases) {
  if (key === null || at < Date.now() - KEEP_PARTIAL_MS) return false;
  const release = releases.find((one) => one.name === name);
  if (!release || release.storedAt < at) return true;
  return Object.values(release.files).some((spec) => keyOf(spec) === key);
}
