/**
 * @file A model's files for one load: which release, from the database where it is whole, else
 * from the network. All files are of one release; a new one is taken whole, or the stored one stays.
 */

import { RerankError } from '../errors.js';
import { Changed, Gone } from './download-errors.js';
import { diskRelease } from './disk.js';
import { addressOf, HUB, hubFolder, parseName } from './names.js';
import { openRelease } from './open-release.js';
import {
  changedPaths,
  commitRelease,
  readRelease,
  storedHashes,
  wholeDtypes,
  withWhatIsKnown,
} from './releases.js';
import { askForNews, askSource } from './sources.js';

/** @typedef {import('./sources.js').Release} Release */
/** @typedef {import('./names.js').ModelName} ModelName */
/** @typedef {import('./open-release.js').ModelFiles} ModelFiles */
/** @typedef {import('../../webrerank.js').LoadProgress} LoadProgress */
/** @typedef {import('../../webrerank.js').Dtype} Dtype */

/** @typedef {{ signal: AbortSignal, onProgress: (progress: LoadProgress) => void }} OpenOptions */

/** What a model has, for the choice of a precision. */
/** @typedef {{ id: string, dtypes: Dtype[], bytes: Partial<Record<Dtype, number>> }} Description */

/**
 * @typedef {object} Plan
 * @property {ModelName | null} named null for files from disk
 * @property {string} hub
 * @property {Release} release that is opened
 * @property {Release | null} before the stored one, if it is another: for when this one cannot be had
 */

/** How often a release is listed again that changes while it is downloaded. */
const MOST_LISTINGS = 3;

/**
 * What this worker has found: it lives for one load.
 * @type {Plan | null}
 */
let found = null;

/**
 * Find a model's release. One that is stored is found without network.
 * @param {string | Blob[]} model
 * @param {string | undefined} hub a mirror's address
 * @param {AbortSignal} signal
 * @returns {Promise<Description>}
 */
export async function resolveModel(model, hub, signal) {
  found = await makePlan(model, hub ?? HUB, signal);
  return describe(found);
}

/**
 * @param {Plan} plan
 * @returns {Description}
 */
function describe({ release: { id, models, files } }) {
  const entries = Object.entries(models);
  const bytes = entries.map(([dtype, path]) => [dtype, files[path]?.bytes ?? 0]);
  const dtypes = /** @type {Dtype[]} */ (entries.map(([dtype]) => dtype));
  return { id, dtypes, bytes: Object.fromEntries(bytes) };
}

/**
 * @param {string | Blob[]} model
 * @param {string} hub
 * @param {AbortSignal} signal
 * @returns {Promise<Plan>}
 */
async function makePlan(model, hub, signal) {
  if (typeof model !== 'string') {
    return { named: null, hub, release: diskRelease('files from disk', model), before: null };
  }
  const named = parseName(model, hub);
  const stored = await readRelease(named.name);
  const question = { hub, signal, stored };
  const listed = stored ? await askForNews(named, question) : await askSource(named, question);
  const release = chosen(listed, stored ?? null, hub);
  const isOther = stored && listed && changedPaths(stored, listed).length > 0;
  // Files that only have the name of a model of the catalogue are never taken for it.
  const usable = isOther && !(stored.kind === 'disk' && listed.kind === 'catalogue');
  return { named, hub, release, before: usable ? stored : null };
}

/**
 * @param {Release | null} listed
 * @param {Release | null} stored
 * @param {string} hub
 */
function chosen(listed, stored, hub) {
  if (listed) return stored ? withWhatIsKnown(listed, stored) : listed;
  const release = /** @type {Release} */ (stored); // a source that says nothing rejects otherwise
  return release.kind === 'hub' ? fromHub(release, hub) : release;
}

/**
 * A stored release of a hub, to be completed from the one that the caller names now.
 * @param {Release} release
 * @param {string} hub
 * @returns {Release}
 */
export function fromHub(release, hub) {
  const base = hubFolder(hub, release.id.split('@')[0], release.revision ?? '');
  const files = Object.entries(release.files).map(([path, spec]) => [
    path,
    { ...spec, url: addressOf(base, path) },
  ]);
  return { ...release, base, files: Object.fromEntries(files) };
}

/**
 * Open the model that was resolved in one precision.
 * @param {Dtype} dtype which the release has
 * @param {Dtype | 'auto'} asked what the caller wants
 * @param {OpenOptions} options
 * @returns {Promise<ModelFiles | { instead: Description }>} instead: the release turned out to be
 *   another one, or cannot be had while an older one is here; choose a precision of that
 */
export async function openModel(dtype, asked, options) {
  const plan = /** @type {Plan} */ (found);
  try {
    return await openListed(plan, dtype, options);
  } catch (error) {
    options.signal.throwIfAborted();
    const before = plan.before;
    const dtypes = before ? wholeDtypes(before, await storedHashes()) : [];
    if (!before || !dtypes.some((one) => asked === 'auto' || asked === one)) throw error;
    const models = dtypes.map((one) => [one, before.models[one]]);
    plan.release = { ...before, models: Object.fromEntries(models) };
    plan.before = null;
    return { instead: describe(plan) };
  }
}

/**
 * @param {Plan} plan
 * @param {Dtype} dtype
 * @param {OpenOptions} options
 */
async function openListed(plan, dtype, options) {
  for (let listing = 1; ; listing++) {
    try {
      const { files, release } = await openRelease(plan.release, dtype, {
        ...options,
        hurry: plan.before !== null,
        recheck: (used) => recheck(plan.named, used, options.signal),
      });
      const saved = files.saved && plan.named !== null && (await commitRelease(release));
      return { ...files, saved };
    } catch (error) {
      options.signal.throwIfAborted();
      if (listing === MOST_LISTINGS || !(await listAgain(plan, error, options.signal))) throw error;
      if (!plan.release.models[dtype]) return { instead: describe(plan) };
    }
  }
}

/**
 * What a folder's host has now that everything is downloaded; null if it does not say.
 * @param {ModelName | null} named
 * @param {Release} release as downloaded
 * @param {AbortSignal} signal
 * @returns {Promise<Release | null>}
 */
export async function recheck(named, release, signal) {
  return named && askForNews(named, { hub: HUB, signal, stored: release });
}

/**
 * Ask the source once more, if the error says that this may help.
 * @param {Plan} plan
 * @param {unknown} error
 * @param {AbortSignal} signal
 */
async function listAgain(plan, error, signal) {
  const cause = error instanceof RerankError ? error.cause : null;
  if (!plan.named || !(cause instanceof Changed || cause instanceof Gone)) return false;
  // Of what came from this device its name's source may know more, if it has one.
  const stored = cause instanceof Gone ? undefined : plan.release;
  try {
    // GET this time: there are hosts that say other things to HEAD.
    const question = { hub: plan.hub, signal, stored, method: /** @type {const} */ ('GET') };
    const listed = await askSource(plan.named, question);
    if (!listed) return false;
    plan.release = listed; // nothing of what was known before is trusted
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
