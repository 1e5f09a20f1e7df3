/** @file All files of one release in one precision: stored ones, and what has to be downloaded. */

import { RerankError } from '../errors.js';
import { BytesMeter } from './bytes-meter.js';
import { changed } from './download-errors.js';
import { CONFIG_PATHS, externalPath, isBeside } from './layout.js';
import { splitWeights, WEIGHTS } from './onnx.js';
import { openFile } from './open-file.js';
import { changedPaths } from './releases.js';
import { fileOf } from './sources.js';

/** @typedef {import('./sources.js').FileSpec} FileSpec */
/** @typedef {import('./sources.js').Release} Release */
/** @typedef {import('./open-file.js').OpenedFile} OpenedFile */
/** @typedef {import('../../webrerank.js').Dtype} Dtype */
/** @typedef {import('../../webrerank.js').LoadProgress} LoadProgress */

/**
 * @typedef {object} ModelFiles
 * @property {string} config
 * @property {string} tokenizer
 * @property {string} tokenizerConfig
 * @property {Blob} graph the model without its weights
 * @property {{ path: string, data: Blob }[]} externalData its weights
 * @property {number} bytes of all files
 * @property {boolean} saved false if they are not kept for the next time
 */

/**
 * @typedef {object} OpenReleaseOptions
 * @property {AbortSignal} signal
 * @property {(progress: LoadProgress) => void} onProgress
 * @property {boolean} hurry whether there is a stored release to use instead
 * @property {(used: Release) => Promise<Release | null>} recheck asks the source what it has now
 */

/**
 * Open a release in one precision. Nothing is committed: the release returned says what was used.
 * @param {Release} release
 * @param {Dtype} dtype
 * @param {OpenReleaseOptions} options
 * @returns {Promise<{ files: ModelFiles, release: Release }>}
 */
export async function openRelease(release, dtype, options) {
  const modelPath = /** @type {string} */ (release.models[dtype]);
  const known = release.used[dtype] ? release : withoutUnsure(release);
  const specs = [...CONFIG_PATHS, modelPath].map((path) => fileIn(known, path));
  const beside = Object.keys(release.files).filter((path) => isBeside(path, modelPath));
  const expected = beside.map((path) => release.files[path]); // told in the total from the start
  const meter = new BytesMeter([...specs, ...expected], options.onProgress);
  const listed = release.kind === 'folder';
  const about = { meter, name: release.name, listed, hurry: options.hurry };
  const [config, tokenizer, tokenizerConfig, weights] = await allOrAbort(options.signal, (signal) =>
    specs.map((spec) => openFile(spec, { ...about, signal })),
  );
  const split = splitWeights(new Uint8Array(await weights.blob.arrayBuffer()));
  const external = await allOrAbort(options.signal, (signal) =>
    split.locations
      .map((location) => fileIn(known, externalPath(modelPath, location)))
      .map((spec) => openFile(spec, { ...about, signal })),
  );
  const opened = [config, tokenizer, tokenizerConfig, weights, ...external];
  const used = withUsed(release, dtype, opened);
  if (listed && opened.some(({ isNew }) => isNew)) {
    await mustBeTheSame(
      used,
      options.recheck,
      opened.every(({ spec, isNew }) => !spec || isNew),
    );
  }
  const atLocation = external.map(({ blob }, index) => ({
    path: split.locations[index],
    data: blob,
  }));
  const files = {
    config: await config.blob.text(),
    tokenizer: await tokenizer.blob.text(),
    tokenizerConfig: await tokenizerConfig.blob.text(),
    graph: new Blob(/** @type {BlobPart[]} */ (split.graph)),
    externalData: [...atLocation, ...(split.taken ? [{ path: WEIGHTS, data: weights.blob }] : [])],
    bytes: opened.reduce((sum, { blob }) => sum + blob.size, 0),
    saved: opened.every((file) => file.saved),
  };
  return { files, release: used };
}

/**
 * @param {Release} release
 * @param {string} path
 * @returns {FileSpec | null} null where an optional file is missing
 */
function fileIn(release, path) {
  // Which of these there are is known by now; weights beside the graph only the graph names.
  const isListed = CONFIG_PATHS.includes(path);
  const spec = isListed ? (release.files[path] ?? null) : fileOf(release, path);
  if (spec || path === 'tokenizer_config.json') return spec;
  throw new RerankError(
    'unsupported_model',
    `The model has no ${path}. Choose another model, or give all files of its folder.`,
  );
}

/**
 * A folder's files of which its host tells no version: with a precision that was never opened
 * they are fetched anew, for nothing says that they are of the same release.
 * @param {Release} release
 * @returns {Release}
 */
function withoutUnsure(release) {
  if (release.kind !== 'folder') return release;
  const files = Object.entries(release.files).map(([path, spec]) => {
    const tells = spec.validator?.etag ?? spec.validator?.date;
    return [path, tells ? spec : { ...spec, sha256: null }];
  });
  return { ...release, files: Object.fromEntries(files) };
}

/**
 * The release with what is known of its files by now, and which of them this precision needs.
 * @param {Release} release
 * @param {Dtype} dtype
 * @param {OpenedFile[]} opened
 * @returns {Release}
 */
function withUsed(release, dtype, opened) {
  const specs = opened.flatMap(({ spec }) => (spec ? [spec] : []));
  const files = { ...release.files, ...Object.fromEntries(specs.map((spec) => [spec.path, spec])) };
  // Other precisions may need the content that a file had before.
  const isSame = specs.every(({ path, sha256 }) => {
    const before = release.files[path]?.sha256;
    return !before || before === sha256;
  });
  const used = { ...(isSame ? release.used : {}), [dtype]: specs.map(({ path }) => path) };
  return { ...release, files, used };
}

/**
 * What was downloaded is one release only if nothing was replaced on its host meanwhile.
 * @param {Release} release as downloaded
 * @param {OpenReleaseOptions['recheck']} recheck
 * @param {boolean} allNew all of it was downloaded after it was listed: that is proof enough if
 *   the host says no more
 */
async function mustBeTheSame(release, recheck, allNew) {
  const now = await recheck(release);
  const [path] = now ? changedPaths(release, now) : [];
  if (path) throw changed(release.files[path] ?? fileOf(release, path));
  if (now || allNew) return;
  throw new RerankError(
    'model_load',
    'The host of the model no longer answers, so it cannot be told whether the files that were ' +
      'downloaded belong to those that are stored. Try again.',
  );
}

/**
 * Run several at once; the first failure aborts the others, so that none goes on unseen.
 * @template T
 * @param {AbortSignal} signal
 * @param {(signal: AbortSignal) => Promise<T>[]} start
 */
async function allOrAbort(signal, start) {
  const controller = new AbortController();
  try {
    return await Promise.all(start(AbortSignal.any([signal, controller.signal])));
  } catch (error) {
    controller.abort();
    throw error;
  }
}
