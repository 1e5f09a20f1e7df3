/** @file The worker that finds, downloads and verifies models, off the page's thread. */

import { openModel, resolveModel } from '../lib/store/open.js';
import { serve } from './serve.js';

serve({
  async resolve({ model }, { signal }) {
    const source = await resolveModel(model, signal);
    const specs = Object.entries(source.models);
    return {
      id: source.id,
      dtypes: specs.map(([dtype]) => dtype),
      bytes: Object.fromEntries(specs.map(([dtype, { bytes }]) => [dtype, bytes])),
    };
  },

  open: ({ model, dtype }, { signal, emit }) =>
    openModel(model, dtype, { signal, onProgress: emit }),
});
