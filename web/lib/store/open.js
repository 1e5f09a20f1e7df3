/** @file A model's files, from the database where they are, else from the network. */

import { RerankError } from '../errors.js';
import { BytesMeter } from './bytes-meter.js';
import { read, write } from './database.js';
import { Missing } from './download-errors.js';
import { download, storeBlob } from './download.js';
import { splitWeights, WEIGHTS } from './onnx.js';
import { readStored } from './stored.js';
import { CONFIG_PATHS } from './layout.js';
import { fileOf, findSource } from './sources.js';

/** How often a download that waits for another tab says so, ms. */
const WAITING_MS = 5_000;

/** @typedef {import('./sources.js').FileSpec} FileSpec */
/** @typedef {import('./sources.js').Source} Source */
/** @typedef {import('../../webrerank.js').LoadProgress} LoadProgress */
/** @typedef {import('../../webrerank.js').Dtype} Dtype */

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

/** @typedef {{ spec: FileSpec | null, blob: Blob, saved: boolean }} OpenedFile */
/** @typedef {{ signal: AbortSignal, onProgress: (progress: LoadProgress) => void }} OpenOptions */

/**
 * Find a model's files. One that was used before is found without network.
 * @param {string | Blob[]} model
 * @param {AbortSignal} signal
 * @returns {Promise<Source>}
 */
export async function resolveModel(model, signal) {
  const before = found.get(model);
  const source = before ?? (await lookUp(model, signal));
  found.set(model, source);
  return source;
}

/**
 * What this worker has found: it lives for one load, and need not ask the hub twice.
 * @type {Map<string | Blob[], Source>}
 */
const found = new Map();

/**
 * @param {string | Blob[]} model
 * @param {AbortSignal} signal
 * @returns {Promise<Source>}
 */
async function lookUp(model, signal) {
  const record = typeof model === 'string' ? await read('models', model) : undefined;
  // The site's own model may have changed with the site; a foreign one stays as it was loaded.
  const { base } = record?.source ?? {};
  const ours = base && new URL(base).origin === self.location.origin;
  if (record && !ours) return record.source;
  try {
    return await findSource(model, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (record) return record.source;
    throw error;
  }
}

/**
 * Open a model in one precision.
 * @param {string | Blob[]} model
 * @param {Dtype} dtype which the source has
 * @param {OpenOptions} options
 * @returns {Promise<ModelFiles>}
 */
export async function openModel(model, dtype, { signal, onProgress }) {
  const source = await resolveModel(model, signal);
  const paths = [...CONFIG_PATHS, /** @type {string} */ (source.models[dtype])];
  const specs = paths.map((path) => fileOf(source, path));
  const beside = Object.keys(source.files).filter((path) => isBeside(path, paths[3]));
  const expected = beside.map((path) => source.files[path]); // told in the total from the start
  const meter = new BytesMeter([...specs, ...expected], onProgress);
  const [config, tokenizer, tokenizerConfig, weights] = await allOrAbort(signal, (stop) =>
    specs.map((spec, index) => openFile(spec, paths[index], stop, meter)),
  );
  const split = await splitModel(weights.blob);
  const external = await openExternal(source, paths[3], split.locations, signal, meter);
  const opened = [config, tokenizer, tokenizerConfig, weights, ...external];
  const kept = opened.every((file) => file.saved);
  const saved = kept && typeof model === 'string' && (await remember(model, used(source, opened)));
  const atLocation = external.map(({ blob }, index) => ({
    path: split.locations[index],
    data: blob,
  }));
  return {
    config: await config.blob.text(),
    tokenizer: await tokenizer.blob.text(),
    tokenizerConfig: await tokenizerConfig.blob.text(),
    graph: new Blob(/** @type {BlobPart[]} */ (split.graph)),
    externalData: [...atLocation, ...(split.taken ? [{ path: WEIGHTS, data: weights.blob }] : [])],
    bytes: opened.reduce((sum, { blob }) => sum + blob.size, 0),
    saved,
  };
}

/**
 * Note what a name stood for, and when it was used.
 * @param {string} name
 * @param {Source} source
 */
export const remember = (name, source) => write('models', { name, source, lastUsed: Date.now() });

/**
 * The source with all files that were opened: those of a folder are known only then.
 * @param {Source} source
 * @param {OpenedFile[]} opened
 * @returns {Source}
 */
function used(source, opened) {
  const files = opened.flatMap(({ spec }) => (spec ? [[spec.path, spec]] : []));
  return { ...source, files: { ...source.files, ...Object.fromEntries(files) } };
}

/**
 * Whether a path is by its name the external data of a model file: both spellings exist.
 * @param {string} path
 * @param {string} modelPath
 */
const isBeside = (path, modelPath) => [`${modelPath}_data`, `${modelPath}.data`].includes(path);

/** @param {Blob} blob */
async function splitModel(blob) {
  return splitWeights(new Uint8Array(await blob.arrayBuffer()));
}

/**
 * Weights that the model's author already keeps beside the graph.
 * @param {Source} source
 * @param {string} modelPath
 * @param {string[]} locations as the graph names them
 * @param {AbortSignal} signal
 * @param {BytesMeter} meter
 */
function openExternal(source, modelPath, locations, signal, meter) {
  const folder = modelPath.slice(0, modelPath.lastIndexOf('/') + 1);
  return Promise.all(
    locations.map((location) => {
      // A model file is data from a stranger: it names files beside it, nothing else.
      if (!/^[\w-][\w.-]*$/.test(location)) {
        throw new RerankError(
          'unsupported_model',
          'The model keeps its weights outside its folder. Choose another model.',
        );
      }
      const spec = fileOf(source, folder + location) ?? fileOf(source, location);
      return openFile(spec, location, signal, meter);
    }),
  );
}

/**
 * @param {FileSpec | null} spec
 * @param {string} path
 * @param {AbortSignal} signal
 * @param {BytesMeter} meter
 * @returns {Promise<OpenedFile>}
 */
async function openFile(spec, path, signal, meter) {
  const optional = path === 'tokenizer_config.json';
  const missing = () =>
    new RerankError('unsupported_model', `The model has no ${path}. Choose another model.`);
  if (spec?.blob) return { spec, blob: spec.blob, saved: false };
  if (!spec) {
    if (optional) return { spec, blob: new Blob(['{}']), saved: true };
    throw missing();
  }
  const open = async () => {
    const stored = await readStored(spec, signal, (loaded, total) =>
      meter.tell('download', spec, loaded, total, true),
    );
    if (stored) return { spec, blob: stored, saved: true };
    try {
      const options = {
        signal,
        onBytes: (/** @type {number} */ loaded, /** @type {number} */ total) =>
          meter.tell('download', spec, loaded, total, false),
        onVerify: () => meter.verify(spec),
      };
      return { spec, ...(await download(spec, options)) };
    } catch (error) {
      if (!(error instanceof RerankError && error.cause instanceof Missing)) throw error;
      // A file that was listed should be there: the host's answer says more.
      if (!optional) throw spec.bytes ? error : missing();
      const blob = new Blob(['{}']); // kept, so that it is not asked for again without network
      return { spec, blob, saved: await storeBlob({ ...spec, blob }, signal) };
    }
  };
  return alone(spec, signal, meter, open);
}

/**
 * One tab at a time downloads a file; the others find it in the database afterwards. Without
 * locks (plain http, blocked site data) two may both download, which is only wasteful.
 * @param {FileSpec} spec
 * @param {AbortSignal} signal
 * @param {BytesMeter} meter
 * @param {() => Promise<OpenedFile>} open
 */
async function alone(spec, signal, meter, open) {
  // While another tab downloads, the page must hear that this worker is alive.
  const waiting = setInterval(() => meter.tell('download', spec, 0, 0, false), WAITING_MS);
  const start = () => (clearInterval(waiting), open());
  try {
    if (!(await canLock())) return await start();
    return await navigator.locks.request(`webrerank:${spec.key}`, { signal }, start);
  } finally {
    clearInterval(waiting);
  }
}

/** Whether this place has locks: a browser that keeps no data for a site refuses them. */
async function canLock() {
  return Boolean(await navigator.locks?.query().catch(() => null));
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
