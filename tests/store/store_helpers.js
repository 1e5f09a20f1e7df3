// Runs in every page of these tests, after tests/e2e/page_helpers.js. Looks into the database
// with the platform's own API, so that what the product says of it can be checked.
Object.assign(t, {
  /** Prefetch a model; what was told on the way is in `progress`. */
  async prefetch(model, options = {}) {
    const { models } = await t.lib();
    const progress = (t.progress = []);
    const onProgress = (event) => {
      t.told = event;
      progress.push({ ...event });
    };
    const outcome = await t.outcome(() => models.prefetch(model, { ...options, onProgress }));
    return { ...outcome, progress };
  },

  /** Load, rerank, tell, dispose. */
  async once(options, query, documents) {
    const { createReranker } = await t.lib();
    return t.outcome(async () => {
      const started = performance.now();
      const reranker = await createReranker({ device: 'wasm', ...options });
      try {
        const loadMs = performance.now() - started;
        const { results } = await reranker.rerank({ query, documents });
        const { model, dtype, saved, sessions } = reranker;
        const logits = results.sort((a, b) => a.index - b.index).map((result) => result.logit);
        return { logits, model, dtype, saved, sessions, loadMs };
      } finally {
        await reranker.dispose();
      }
    });
  },

  /** A File as from an input, from base64. */
  fileOf({ path, base64 }) {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const file = new File([bytes], path.split('/').at(-1));
    Object.defineProperty(file, 'webkitRelativePath', { value: path });
    return file;
  },

  database: () =>
    new Promise((resolve, reject) => {
      const request = indexedDB.open('webrerank');
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    }),

  /** Run requests on one store of the database; gives the last one's result. */
  async inStore(name, mode, work) {
    const db = await t.database();
    try {
      const tx = db.transaction(name, mode);
      const request = work(tx.objectStore(name));
      await new Promise((resolve, reject) => {
        tx.oncomplete = resolve;
        tx.onabort = () => reject(tx.error);
      });
      return request?.result;
    } finally {
      db.close();
    }
  },

  stored: async () => ({
    files: await t.inStore('files', 'readonly', (store) => store.getAll()),
    partials: await t.inStore('partials', 'readonly', (store) => store.getAll()),
    chunks: await t.inStore('chunks', 'readonly', (store) => store.getAllKeys()),
    releases: await t.inStore('releases', 'readonly', (store) => store.getAllKeys()),
  }),

  /** What is noted of a stored file. */
  file: (sha256) => t.inStore('files', 'readonly', (store) => store.get(sha256)),

  /** sha256 of a file as the database holds it, chunk after chunk. */
  async storedHash(sha256) {
    const { id } = await t.file(sha256);
    const range = IDBKeyRange.bound([id, 0], [id, Infinity]);
    const chunks = await t.inStore('chunks', 'readonly', (store) => store.getAll(range));
    const bytes = await new Blob(chunks).arrayBuffer();
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  },

  /** Change one byte of a stored chunk, as a bad disk does. */
  async corrupt(sha256, index) {
    const { id } = await t.file(sha256);
    const bytes = await t.inStore('chunks', 'readonly', (store) => store.get([id, index]));
    new Uint8Array(bytes)[bytes.byteLength >> 1] ^= 1;
    await t.inStore('chunks', 'readwrite', (store) => store.put(bytes, [id, index]));
  },

  /** Lose a stored chunk. */
  async evict(sha256, index) {
    const { id } = await t.file(sha256);
    await t.inStore('chunks', 'readwrite', (store) => store.delete([id, index]));
  },
});
