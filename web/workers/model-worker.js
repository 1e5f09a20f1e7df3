/** @file The worker that finds, downloads, verifies and keeps models, off the page's thread. */

import { digestOf, keepLogits, keptLogits } from '../lib/store/expected-logits.js';
import {
  addModel,
  exportModel,
  importModel,
  listModels,
  removeModels,
  storedBytes,
} from '../lib/store/library.js';
import { openModel, resolveModel } from '../lib/store/open.js';
import { serve } from './serve.js';

serve({
  async resolve({ model }, { signal }) {
    const source = await resolveModel(model, signal);
    const models = Object.entries(source.models);
    const bytes = models.map(([dtype, path]) => [dtype, source.files[path]?.bytes ?? 0]);
    return {
      id: source.id,
      dtypes: models.map(([dtype]) => dtype),
      bytes: Object.fromEntries(bytes),
    };
  },

  open: ({ model, dtype }, { signal, emit }) =>
    openModel(model, dtype, { signal, onProgress: emit }),

  digest: ({ graph, externalData }) => digestOf(graph, externalData),

  keptLogits: ({ key }) => keptLogits(key),

  keepLogits: ({ key, logits }) => keepLogits(key, logits),

  storedBytes: () => storedBytes(),

  list: (_payload, { signal }) => listModels(signal),

  remove: ({ name }, { signal }) => removeModels(name, signal),

  add: ({ name, files }, { signal }) => addModel(name, files, signal),

  export: ({ name }, { signal }) => exportModel(name, signal),

  import: ({ file }, { signal }) => importModel(file, signal),
});
