/** @file A model's files, from the database where they are, else from the network. */

import { RerankError } from '../errors.js';
import { BytesMeter } from './bytes-meter.js';
import { read, write } from './database.js';
import { download } from './download.js';
import { splitWeights, WEIGHTS } from './onnx.js';
import { readStored } from './stored.js';
import { CONFIG_PATHS, fileOf, findSource } from './sources.js';

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

/** @typedef {{ blob: Blob, saved: boolean }} OpenedFile */
/** @typedef {{ signal: AbortSignal, onProgress: (progress: LoadProgress) => void }} OpenOptions */

/**
 * Find a model's files. One that was used before is found without network.
 * @param {string | Blob[]} model
 * @param {AbortSignal} signal
 * @returns {Promise<Source>}
 */
export async function resolveModel(model, signal) {
  const record = typeof model === 'string' ? await read('models', model) : undefined;
  // The site's own model may have changed with the site; a foreign one stays as it was loaded.
  if (record && !record.source.base?.startsWith(self.location.origin)) return record.source;
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
  const meter = new BytesMeter(specs, onProgress);
  const [config, tokenizer, tokenizerConfig, weights] = await allOrAbort(signal, (stop) =>
    specs.map((spec, index) => openFile(spec, paths[index], stop, meter)),
  );
  const split = await splitModel(weights.blob);
  const external = await openExternal(source, paths[3], split.locations, signal, meter);
  const opened = [config, tokenizer, tokenizerConfig, weights, ...external];
  const kept = opened.every((file) => file.saved);
  const saved = kept && typeof model === 'string' && (await remember(model, source));
  return {
    config: await config.blob.text(),
    tokenizer: await tokenizer.blob.text(),
    tokenizerConfig: await tokenizerConfig.blob.text(),
    graph: new Blob(/** @type {BlobPart[]} */ (split.graph)),
    externalData: split.locations.length
      ? external.map(({ blob }, index) => ({ path: split.locations[index], data: blob }))
      : [{ path: WEIGHTS, data: weights.blob }],
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
  if (spec?.blob) return { blob: spec.blob, saved: false };
  if (!spec) {
    if (optional) return { blob: new Blob(['{}']), saved: true };
    throw new RerankError('model_load', `The model has no ${path}. Choose another model.`);
  }
  const open = async () => {
    const stored = await readStored(spec, signal, (loaded, total) =>
      meter.tell('download', spec, loaded, total, true),
    );
    if (stored) return { blob: stored, saved: true };
    return download(spec, {
      signal,
      onBytes: (loaded, total) => meter.tell('download', spec, loaded, total, false),
      onVerify: () => meter.verify(spec),
    });
  };
  // One tab at a time downloads a file; the others find it in the database afterwards.
  // Without locks (plain http) two tabs may both download, which is only wasteful.
  return navigator.locks
    ? navigator.locks.request(`webrerank:${spec.key}`, { signal }, open)
    : open();
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
