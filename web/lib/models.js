/** @file The models on this device: list, prefetch, update, remove, add, export, import, usage. */

import { chooseForDevice } from './device.js';
import { checkBlob, checkModelName, filesOf } from './checks.js';
import { RerankError } from './errors.js';
import { checkImportOptions, checkPrefetchOptions, checkUpdateOptions } from './request.js';
import { LoadProgressMeter } from './progress.js';
import { PATIENCE_MS } from './patience.js';
import { orSiteUpdate } from './site-update.js';
import { checkPlace, workerUrl } from './script-url.js';
import { disposed, WorkerClient } from './worker-client.js';

/** @typedef {import('../webrerank.js').ModelStore} ModelStore */
/** @typedef {import('./store/open.js').Description} Found */
/** @typedef {import('./store/open-release.js').ModelFiles} ModelFiles */

/** The model that ships with the library. */
export const DEFAULT_MODEL = 'ms-marco-MiniLM-L-12-v2';

/** Gigabytes are copied and hashed in silence. */
const SLOW = { patienceMs: PATIENCE_MS.loading };

/**
 * Ask a model worker of its own; it ends with the answer.
 * @template T
 * @param {(client: WorkerClient) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withModelWorker(work) {
  const client = new WorkerClient(workerUrl('model-worker'), 'webrerank model worker');
  try {
    return await work(client);
  } catch (error) {
    throw error instanceof RerankError ? await orSiteUpdate(error) : error;
  } finally {
    client.end(disposed());
  }
}

/**
 * Find a model, choose the device and the precision, and open it.
 * @param {WorkerClient} client of the model worker
 * @param {import('../webrerank.js').RerankerOptions} options checked
 * @param {object} handlers
 * @param {(progress: import('../webrerank.js').LoadProgress) => void} handlers.onProgress
 * @param {(found: Found, choice: import('./device.js').Choice) => void} [handlers.onChoice] called
 *   again if another release has to be opened
 * @returns {Promise<{ found: Found, choice: import('./device.js').Choice, files: ModelFiles }>}
 */
export async function openForDevice(client, options, { onProgress, onChoice = () => {} }) {
  const { model = DEFAULT_MODEL, hub, device = 'auto', dtype = 'auto', signal } = options;
  let found = await client.call('resolve', { model, hub }, { signal });
  for (;;) {
    const choice = await chooseForDevice(device, dtype, found.dtypes, signal);
    onChoice(found, choice);
    const payload = { dtype: choice.dtype, asked: dtype };
    const files = await client.call('open', payload, { signal, onEvent: onProgress });
    if (!files.instead) return { found, choice, files };
    found = files.instead;
  }
}

/**
 * A part of the browser that a blocked site may not even look at.
 * @template T
 * @param {() => Promise<T> | undefined} ask
 * @param {T} otherwise
 * @returns {Promise<T>}
 */
async function orElse(ask, otherwise) {
  try {
    return (await ask()) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** @type {ModelStore} */
export const models = Object.freeze({
  list: () => withModelWorker((client) => client.call('list', null)),

  async prefetch(model = DEFAULT_MODEL, options = {}) {
    const name = checkModelName(model, 'model', 'a name or the URL of a folder');
    const checked = checkPrefetchOptions(options);
    const meter = new LoadProgressMeter(checked.onProgress);
    return withModelWorker(async (client) => {
      const given = { ...checked, model: name };
      const opened = await openForDevice(client, given, { onProgress: meter.model });
      meter.done();
      const { found, choice, files } = opened;
      return { id: found.id, dtype: choice.dtype, bytes: files.bytes, saved: files.saved };
    });
  },

  /**
   * @param {string} [model]
   * @param {import('../webrerank.js').UpdateOptions} [options]
   */
  async update(model, options = {}) {
    const name = model === undefined ? undefined : checkModelName(model);
    const { hub, signal, onProgress } = checkUpdateOptions(options);
    const meter = new LoadProgressMeter(onProgress);
    return withModelWorker(async (client) => {
      const payload = { model: name, hub };
      const answers = await client.call('update', payload, {
        signal,
        onEvent: meter.model,
        ...SLOW,
      });
      meter.done();
      return answers.map((/** @type {any} */ answer) => ({
        ...answer,
        error: answer.error && RerankError.fromJSON(answer.error),
      }));
    });
  },

  /** @param {string} [model] */
  async remove(model) {
    const name = model === undefined ? undefined : checkModelName(model);
    return withModelWorker((client) => client.call('remove', { name }, SLOW));
  },

  /**
   * @param {string} name
   * @param {FileList | readonly File[]} files
   */
  async add(name, files) {
    const payload = { name: checkModelName(name, 'name'), files: filesOf(files, 'files') };
    return withModelWorker((client) => client.call('add', payload, SLOW));
  },

  /** @param {string} model */
  async export(model) {
    const payload = { name: checkModelName(model) };
    return withModelWorker((client) => client.call('export', payload, SLOW));
  },

  /**
   * @param {Blob} file
   * @param {{ name?: string }} [options]
   */
  async import(file, options = {}) {
    checkBlob(file, 'file');
    const { name } = checkImportOptions(options);
    return withModelWorker((client) => client.call('import', { file, name }, SLOW));
  },

  async usage() {
    checkPlace();
    const estimate = await orElse(() => navigator.storage.estimate(), {});
    const { quota = null, usage = null } = estimate;
    const modelBytes = await withModelWorker((client) => client.call('storedBytes', null));
    return {
      modelBytes,
      usedBytes: usage,
      quotaBytes: quota,
      persisted: await orElse(() => navigator.storage.persisted(), false),
    };
  },

  async persist() {
    checkPlace();
    return orElse(() => navigator.storage.persist(), false);
  },
});
