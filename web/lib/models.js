/** @file The models on this device: list, prefetch, remove, add, export, import, usage. */

import { chooseForDevice } from './device.js';
import { checkBlob, checkModelName, filesOf } from './checks.js';
import { RerankError } from './errors.js';
import { checkPrefetchOptions } from './request.js';
import { LoadProgressMeter } from './progress.js';
import { PATIENCE_MS } from './patience.js';
import { orSiteUpdate } from './site-update.js';
import { workerUrl } from './script-url.js';
import { disposed, WorkerClient } from './worker-client.js';

/** @typedef {import('../webrerank.js').ModelStore} ModelStore */

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

/** @type {ModelStore} */
export const models = Object.freeze({
  list: () => withModelWorker((client) => client.call('list', null)),

  async prefetch(model = DEFAULT_MODEL, options = {}) {
    const name = checkModelName(model, 'model', 'a name or the URL of a folder');
    const { device = 'auto', dtype = 'auto', signal, onProgress } = checkPrefetchOptions(options);
    const meter = new LoadProgressMeter(onProgress);
    return withModelWorker(async (client) => {
      const found = await client.call('resolve', { model: name }, { signal });
      const choice = await chooseForDevice(device, dtype, found.dtypes, signal);
      const opened = await client.call(
        'open',
        { model: name, dtype: choice.dtype },
        { signal, onEvent: meter.model },
      );
      meter.done();
      return { id: found.id, dtype: choice.dtype, bytes: opened.bytes, saved: opened.saved };
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

  /** @param {Blob} file */
  async import(file) {
    checkBlob(file, 'file');
    return withModelWorker((client) => client.call('import', { file }, SLOW));
  },

  async usage() {
    const { quota = null, usage = null } =
      (await navigator.storage?.estimate?.().catch(() => null)) ?? {};
    const modelBytes = await withModelWorker((client) => client.call('storedBytes', null));
    return {
      modelBytes,
      usedBytes: usage,
      quotaBytes: quota,
      persisted: (await navigator.storage?.persisted?.().catch(() => false)) ?? false,
    };
  },

  persist: async () => (await navigator.storage?.persist?.().catch(() => false)) ?? false,
});
