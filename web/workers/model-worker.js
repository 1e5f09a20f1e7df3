/** @file The worker that finds, downloads, verifies and keeps models, off the page's thread. */

import { digestOf, keepLogits, keptLogits } from '../lib/store/expected-logits.js';
import { addModel } from '../lib/store/keep.js';
import { listModels, removeModels, storedBytes } from '../lib/store/library.js';
import { HUB, parseName } from '../lib/store/names.js';
import { openModel, resolveModel } from '../lib/store/open.js';
import { sweep } from '../lib/store/releases.js';
import { atWork, whenNobodyWorks } from '../lib/store/tabs.js';
import { exportModel, importModel } from '../lib/store/transfer.js';
import { updateModels } from '../lib/store/update.js';
import { serve } from './serve.js';

/** @typedef {import('./serve.js').Handler} Handler */

/**
 * No other tab sweeps during the work, and after it what nobody needs any more is swept.
 * @param {Handler} work
 * @returns {Handler}
 */
const withSweep = (work) => async (payload, context) => {
  try {
    return await atWork(context.signal, async () => work(payload, context));
  } finally {
    await whenNobodyWorks(sweep);
  }
};

/**
 * What is listed and counted is what is there after a sweep.
 * @param {Handler} work
 * @returns {Handler}
 */
const afterSweep = (work) => async (payload, context) => {
  await whenNobodyWorks(sweep);
  return work(payload, context);
};

/**
 * A model may be asked for by its page on the hub.
 * @param {string} model
 */
const nameOf = (model) => parseName(model, HUB).name;

serve({
  resolve: ({ model, hub }, { signal }) => resolveModel(model, hub, signal),

  open: withSweep(({ dtype, asked }, { signal, emit }) =>
    openModel(dtype, asked, { signal, onProgress: emit }),
  ),

  update: withSweep(({ model, hub }, { signal, emit }) =>
    updateModels(model, { hub, signal, onProgress: emit }),
  ),

  add: withSweep(({ name, files }, { signal }) => addModel(nameOf(name), files, signal)),

  import: withSweep(({ file, name }, { signal }) => importModel(file, name, signal)),

  export: ({ name }, { signal }) => exportModel(nameOf(name), signal),

  remove: async ({ name }) => {
    await removeModels(name === undefined ? undefined : nameOf(name));
    await whenNobodyWorks(sweep);
  },

  storedBytes: afterSweep(() => storedBytes()),

  list: afterSweep((_payload, { signal }) => listModels(signal)),

  digest: ({ graph, externalData }) => digestOf(graph, externalData),

  keptLogits: ({ key }) => keptLogits(key),

  keepLogits: ({ key, logits }) => keepLogits(key, logits),
});
