// Runs in the fuzzer's page, after the helpers of tests/e2e and tests/store. Speaks to the product's
// workers one by one, so that a case takes milliseconds and not the start of a whole reranker.
Object.assign(t, {
  /** How work ended: { value }, { error }, or { late } if it did not. */
  async bounded(work, ms) {
    const late = t.sleep(ms).then(() => ({ late: ms }));
    return { ...(await Promise.race([t.outcome(work), late])), at: t.asked };
  },

  /** The last call to a worker. */
  asked: '',

  /** Workers kept from case to case, by their file's name. */
  kept: new Map(),
  lastId: 0,

  /** The address of a file of the product; a build may put its release into a folder of its own. */
  async at(path) {
    const entry = await (await fetch(new URL('webrerank.js', document.baseURI))).text();
    const [folder] = /release\/\w+\//.exec(entry) ?? [''];
    return new URL(folder + path, document.baseURI).href;
  },

  async worker(name) {
    if (!t.kept.has(name)) {
      const url = await t.at(`workers/${name}.js`);
      t.kept.set(name, new Worker(url, { type: 'module', name }));
    }
    return t.kept.get(name);
  },

  endWorkers(names = [...t.kept.keys()]) {
    for (const name of names) {
      t.kept.get(name)?.terminate();
      t.kept.delete(name);
    }
  },

  /** Send a worker any message, and wait for the answer that has its id. */
  async send(name, message, transfer = []) {
    const worker = await t.worker(name);
    return new Promise((resolve, reject) => {
      const stop = new AbortController();
      const { signal } = stop;
      worker.addEventListener(
        'message',
        ({ data }) => {
          if (data?.id !== message?.id || data?.type === 'event') return;
          stop.abort();
          resolve(data);
        },
        { signal },
      );
      worker.addEventListener(
        'error',
        (event) => {
          event.preventDefault();
          stop.abort();
          const where = `${event.filename?.split('/').at(-1)}:${event.lineno}`;
          reject(new Error(`the worker ended: ${event.message} (${where})`));
        },
        { signal },
      );
      worker.postMessage(message, transfer);
    });
  },

  /** JSON in which { big: [...] } and { floats: [...] } stand for typed arrays. */
  parse: (json) =>
    JSON.parse(json, (key, value) => {
      if (Array.isArray(value?.floats)) return Float32Array.from(value.floats);
      if (!Array.isArray(value?.big)) return value;
      return BigInt64Array.from(value.big, (number) => BigInt(Math.trunc(Number(number) || 0)));
    }),

  /** Call a worker as the library does. */
  async ask(name, call, payload, transfer = []) {
    const { PROTOCOL } = await import(await t.at('lib/protocol.js'));
    const { RerankError } = await import(await t.at('lib/errors.js'));
    t.asked = `${name}'s ${call}`;
    const message = { v: PROTOCOL, id: ++t.lastId, type: 'call', name: call, payload };
    const answer = await t.send(name, message, transfer);
    if (answer.type !== 'done') throw RerankError.fromJSON(answer.error);
    return answer.value;
  },

  /** A model's files, as the library asks for them. */
  async open(model, dtype) {
    await t.ask('model-worker', 'resolve', { model });
    return t.ask('model-worker', 'open', { dtype, asked: dtype });
  },

  /** What a session answers, where not a real one is to. */
  answer: null,

  /**
   * Load a model's files as a reranker does, into workers that are kept, and rerank: gives the
   * logits in the order of the texts.
   */
  async rerankWith(files, dtype, query, texts) {
    const opened = await t.open(files, dtype);
    const { port1, port2 } = new MessageChannel();
    if (t.answer) port1.onmessage = ({ data }) => answerAsTold(port1, data);
    else {
      await t.ask('session-worker', 'boot', { device: 'wasm' });
      await t.ask('session-worker', 'load', { ...opened, port: port1 }, [port1]);
      await t.ask('session-worker', 'warmup', {});
    }
    if (!t.kept.has('python-worker')) await t.ask('python-worker', 'boot', null);
    const runtime = { model: 'fuzz', device: 'wasm', dtype, sessions: 1, cache: false };
    await t.ask('python-worker', 'load', { ...opened, runtime: { ...runtime, runBytes: 1e9 } });
    await t.ask('python-worker', 'attach', { index: 0, port: port2 }, [port2]);
    const unset = { topK: undefined, minScore: undefined, maxLength: undefined };
    const payload = { query, texts, wantResults: false, ...unset };
    const { index, logit } = await t.ask('python-worker', 'rerank', payload);
    const logits = [];
    index.forEach((place, row) => (logits[place] = logit[row]));
    return logits;
  },

  /** All stores of the product's database: [[name, [[key, value], ...]], ...]. */
  async snapshot() {
    const db = await t.database();
    const names = [...db.objectStoreNames];
    db.close();
    const read = async (name) => {
      const keys = await t.inStore(name, 'readonly', (store) => store.getAllKeys());
      const values = await t.inStore(name, 'readonly', (store) => store.getAll());
      return [name, keys.map((key, place) => [key, values[place]])];
    };
    return Promise.all(names.map(read));
  },

  /** Put all stores back to what a snapshot has. */
  async restore(snapshot) {
    for (const [name, rows] of snapshot) {
      await t.inStore(name, 'readwrite', (store) => {
        store.clear();
        for (const [key, value] of rows) store.keyPath ? store.put(value) : store.put(value, key);
      });
    }
  },

  /** Change one record: its place in a store, a path in it, and what is put there. */
  async spoil(name, place, verb, path, value) {
    const keys = await t.inStore(name, 'readonly', (store) => store.getAllKeys());
    const key = keys[place % keys.length];
    if (key === undefined) return;
    let record = await t.inStore(name, 'readonly', (store) => store.get(key));
    if (record instanceof ArrayBuffer) record = verb === 'put' ? value : record.slice(0, value);
    else change(record, path, verb, value);
    await t
      .inStore(name, 'readwrite', (store) => {
        if (verb === 'delete') store.delete(key);
        else store.keyPath ? store.put(record) : store.put(record, key);
      })
      .catch(() => {}); // a record without its key cannot be put at all
  },

  /** A digest of a model's files as they are opened, so that a wrong one is seen. */
  async digest(model, dtype) {
    const { graph, externalData, ...texts } = await t.open(model, dtype);
    const parts = [graph, ...externalData.map(({ data }) => data)];
    parts.push(texts.config, texts.tokenizer, texts.tokenizerConfig);
    const bytes = await new Blob(parts).arrayBuffer();
    return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).join('.');
  },
});

function answerAsTold(port, { type, id }) {
  if (type !== 'run') return;
  port.postMessage({ type: 'begun', id });
  port.postMessage({ ...t.answer, id });
}

function change(record, path, verb, value) {
  let target = record;
  for (const step of path.slice(0, -1)) target = target?.[step];
  if (target === null || typeof target !== 'object') return;
  if (verb === 'drop') delete target[path.at(-1)];
  else if (verb === 'put') target[path.at(-1)] = value;
}
