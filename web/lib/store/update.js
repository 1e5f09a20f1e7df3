/** @file Asking the sources of stored models for newer releases. */

import { errorToWire, RerankError } from '../errors.js';
import { HUB, parseName } from './names.js';
import { recheck } from './open.js';
import { openRelease } from './open-release.js';
import {
  changedPaths,
  commitRelease,
  readRelease,
  readReleases,
  usedPaths,
  withWhatIsKnown,
} from './releases.js';
import { askSource } from './sources.js';

/** @typedef {import('./sources.js').Release} Release */
/** @typedef {import('../../webrerank.js').Dtype} Dtype */
/** @typedef {import('../../webrerank.js').LoadProgress} LoadProgress */
/** @typedef {import('../errors.js').ErrorOnWire} ErrorOnWire */
/** @typedef {{ hub: string | undefined, signal: AbortSignal, onProgress: (progress: LoadProgress) => void }} UpdateOptions */

/** Which precision is loaded where none of the stored ones is left. */
const PREFERRED = /** @type {Dtype[]} */ (['q8', 'fp32', 'fp16']);

/**
 * @typedef {object} Update
 * @property {string} id
 * @property {boolean} updated
 * @property {string[]} changed
 * @property {string | null} revision
 * @property {ErrorOnWire | null} error
 */

/**
 * @param {string | undefined} model all that are stored without one
 * @param {UpdateOptions} options
 * @returns {Promise<Update[]>}
 */
export async function updateModels(model, options) {
  const name = model === undefined ? undefined : parseName(model, options.hub ?? HUB).name;
  if (name !== undefined) return [await updateModel(name, options)];
  const answers = [];
  const done = { loadedBytes: 0, totalBytes: 0 };
  for (const release of await readReleases()) {
    let last = { loadedBytes: 0, totalBytes: 0 };
    const onProgress = (/** @type {LoadProgress} */ progress) => {
      last = progress;
      const loadedBytes = done.loadedBytes + progress.loadedBytes;
      options.onProgress({
        ...progress,
        loadedBytes,
        totalBytes: done.totalBytes + progress.totalBytes,
      });
    };
    answers.push(await updateOrSayWhy(release.name, { ...options, onProgress }));
    done.loadedBytes += last.loadedBytes;
    done.totalBytes += last.totalBytes;
  }
  return answers;
}

/**
 * One model that cannot be updated must not keep the others from it.
 * @param {string} name
 * @param {UpdateOptions} options
 * @returns {Promise<Update>}
 */
async function updateOrSayWhy(name, options) {
  try {
    return await updateModel(name, options);
  } catch (error) {
    options.signal.throwIfAborted();
    const stored = await readRelease(name);
    const revision = stored?.revision ?? null;
    return { id: name, updated: false, changed: [], revision, error: errorToWire(error) };
  }
}

/**
 * @param {string} name
 * @param {UpdateOptions} options
 * @returns {Promise<Update>}
 */
async function updateModel(name, { hub = HUB, signal, onProgress }) {
  const stored = await readRelease(name);
  if (!stored) {
    throw new RerankError(
      'invalid_request',
      'model must be one that is stored here. Load it first, as with models.prefetch.',
    );
  }
  const named = parseName(name, hub);
  const listed = await askSource(named, { hub, signal, stored, newest: true });
  if (!listed) return answer(stored, stored); // files from disk have no source
  let release = withWhatIsKnown(listed, stored);
  const wanted = /** @type {Dtype[]} */ (Object.keys(stored.used)).filter((d) => release.models[d]);
  const dtypes = wanted.length ? wanted : PREFERRED.filter((d) => release.models[d]).slice(0, 1);
  for (const dtype of dtypes) {
    const opened = await openRelease(release, dtype, {
      signal,
      onProgress,
      hurry: false,
      recheck: (used) => recheck(named, used, signal),
    });
    if (!opened.files.saved) throw noRoom();
    release = opened.release;
  }
  if (!(await commitRelease(release))) throw noRoom();
  return answer(stored, release);
}

const noRoom = () =>
  new RerankError(
    'model_load',
    'There is not enough room on this device for the new release, so the stored one stays. ' +
      'Remove another model, then try again.',
    { retryable: true },
  );

/**
 * @param {Release} before
 * @param {Release} now
 * @returns {Update}
 */
function answer(before, now) {
  const paths = [...new Set([...usedPaths(before), ...usedPaths(now)])];
  const changed = paths.filter((path) => before.files[path]?.sha256 !== now.files[path]?.sha256);
  const updated = changedPaths(before, now).length > 0 || changed.length > 0;
  return { id: now.name, updated, changed, revision: now.revision, error: null };
}
