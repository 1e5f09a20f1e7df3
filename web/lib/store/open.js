/** @file A model's files, from the database where they are, else from the network. */

import { CHUNK_BYTES, read, readChunk, removeFile, write } from './database.js';
import { download } from './download.js';
import { sha256 } from './hash.js';
import { findSource } from './sources.js';

/** @typedef {import('./sources.js').FileSpec} FileSpec */
/** @typedef {import('./sources.js').Source} Source */
/** @typedef {import('../../webrerank.js').LoadProgress} LoadProgress */

/**
 * @typedef {object} ModelFiles
 * @property {string} config
 * @property {string} tokenizer
 * @property {string} tokenizerConfig
 * @property {Blob} model
 * @property {{ path: string, data: Blob }[]} externalData
 * @property {boolean} saved false if the device had no room: it runs all the same
 */

/** @typedef {{ signal: AbortSignal, onProgress: (progress: LoadProgress) => void }} OpenOptions */

/**
 * Find a model's files. Without network, the ones used last time.
 * @param {string} name
 * @param {AbortSignal} signal
 * @returns {Promise<Source>}
 */
export async function resolveModel(name, signal) {
  try {
    return await findSource(name, signal);
  } catch (error) {
    signal.throwIfAborted();
    const record = await read('models', name);
    if (record) return record.source;
    throw error;
  }
}

/**
 * Open a model in one precision.
 * @param {string} name
 * @param {import('../../webrerank.js').Dtype} dtype which the source has
 * @param {OpenOptions} options
 * @returns {Promise<ModelFiles>}
 */
export async function openModel(name, dtype, { signal, onProgress }) {
  const source = await resolveModel(name, signal);
  const model = /** @type {FileSpec} */ (source.models[dtype]);
  const small = [source.config, source.tokenizer, source.tokenizerConfig];
  const meter = new BytesMeter([...small, model], onProgress);
  const texts = await Promise.all(
    small.map(async (spec) => (await openFile(spec, signal, meter)).blob.text()),
  );
  const opened = await openFile(model, signal, meter);
  const saved = opened.saved && (await write('models', { name, source }));
  const [config, tokenizer, tokenizerConfig] = texts;
  return { config, tokenizer, tokenizerConfig, model: opened.blob, externalData: [], saved };
}

/**
 * @param {FileSpec} spec
 * @param {AbortSignal} signal
 * @param {BytesMeter} meter
 * @returns {Promise<{ blob: Blob, saved: boolean }>}
 */
function openFile(spec, signal, meter) {
  const key = spec.sha256 ? `sha256:${spec.sha256}` : spec.url;
  const open = async () => {
    const cached = await openCached(key, spec, meter);
    if (cached) return { blob: cached, saved: true };
    return download({
      key,
      spec,
      signal,
      onBytes: (loaded, total) => meter.tell('download', spec, loaded, total, false),
      onVerify: () => meter.verify(spec),
    });
  };
  // One tab at a time downloads a file; the others find it in the database afterwards.
  // Without locks (plain http) two tabs may both download, which is only wasteful.
  return navigator.locks ? navigator.locks.request(`webrerank:${key}`, { signal }, open) : open();
}

/**
 * A file from the database, every chunk checked; null if it is not there whole.
 * @param {string} key
 * @param {FileSpec} spec
 * @param {BytesMeter} meter
 */
async function openCached(key, spec, meter) {
  /** @type {import('./database.js').Manifest | undefined} */
  const manifest = await read('files', key);
  if (!manifest) return null;
  const parts = [];
  for (const [index, hash] of manifest.chunks.entries()) {
    const bytes = await readChunk(key, index);
    if (!bytes || (await sha256(bytes)) !== hash) {
      await removeFile(key);
      return null;
    }
    parts.push(new Blob([bytes]));
    const loaded = Math.min((index + 1) * CHUNK_BYTES, manifest.bytes);
    meter.tell('download', spec, loaded, manifest.bytes, true);
  }
  return new Blob(parts);
}

/** Adds the files' bytes up. */
class BytesMeter {
  /** @type {Map<string, { loaded: number, total: number }>} */
  #files;
  #onProgress;

  /**
   * @param {FileSpec[]} specs
   * @param {(progress: LoadProgress) => void} onProgress
   */
  constructor(specs, onProgress) {
    this.#files = new Map(specs.map(({ path, bytes }) => [path, { loaded: 0, total: bytes }]));
    this.#onProgress = onProgress;
  }

  /**
   * Told only of the last file, so that phases do not go back and forth.
   * @param {FileSpec} spec
   */
  verify(spec) {
    const { loaded = 0, total = 0 } = this.#files.get(spec.path) ?? {};
    const done = [...this.#files.values()].every((file) => file.loaded === file.total);
    if (done) this.tell('verify', spec, loaded, total, false);
  }

  /**
   * @param {'download' | 'verify'} phase
   * @param {FileSpec} spec
   * @param {number} loaded
   * @param {number} total 0 if not known
   * @param {boolean} fromCache
   */
  tell(phase, spec, loaded, total, fromCache) {
    const before = this.#files.get(spec.path)?.total ?? 0;
    this.#files.set(spec.path, { loaded, total: Math.max(total, before, loaded) });
    const all = [...this.#files.values()];
    this.#onProgress({
      phase,
      loadedBytes: all.reduce((sum, file) => sum + file.loaded, 0),
      totalBytes: all.reduce((sum, file) => sum + file.total, 0),
      file: spec.path,
      fromCache,
    });
  }
}
