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

  endWorkers() {
    for (const worker of t.kept.values()) worker.terminate();
    t.kept.clear();
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
    const { errorFromWire } = await import(await t.at('lib/errors.js'));
    t.asked = `${name}'s ${call}`;
    const message = { v: PROTOCOL, id: ++t.lastId, type: 'call', name: call, payload };
    const answer = await t.send(name, message, transfer);
    if (answer.type !== 'done') throw errorFromWire(answer.error);
    return answer.value;
  },

  /** Open a model and load it into a session; gives the logits of each batch of one pair. */
  async logits(model, dtype, batches) {
    const opened = await t.ask('model-worker', 'open', { model, dtype });
    await t.ask('session-worker', 'boot', { device: 'wasm' });
    const { port2 } = new MessageChannel();
    await t.ask('session-worker', 'load', { ...opened, port: port2 }, [port2]);
    await t.ask('session-worker', 'warmup', {});
    const answers = [];
    for (const { input_ids, attention_mask, token_type_ids } of batches) {
      const wide = (numbers) => BigInt64Array.from(numbers, BigInt);
      const batch = { rows: 1, length: input_ids.length, inputIds: wide(input_ids) };
      Object.assign(batch, {
        attentionMask: wide(attention_mask),
        tokenTypeIds: wide(token_type_ids),
      });
      answers.push([...(await t.ask('session-worker', 'probe', batch))]);
    }
    return answers;
  },

  /** What a session answers instead of a sum. */
  answer: null,

  /** Rerank in Python with a model's texts; a sum of the ids stands for the model. */
  async rerankWith([config, tokenizer, tokenizerConfig], query, texts) {
    if (!t.kept.has('python-worker')) await t.ask('python-worker', 'boot', null);
    const runtime = { model: 'fuzz', device: 'wasm', dtype: 'fp32', sessions: 1, cache: false };
    await t.ask('python-worker', 'load', { config, tokenizer, tokenizerConfig, runtime });
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data: { type, id, inputIds } }) => {
      if (type !== 'run') return;
      port1.postMessage({ type: 'begun', id });
      let total = 0n;
      for (const token of inputIds) total = (((total * 31n + token) % 65521n) + 65521n) % 65521n;
      const logits = Float32Array.of(Number(total) / 1000);
      port1.postMessage({ type: 'logits', logits, ...t.answer, id });
    };
    await t.ask('python-worker', 'attach', { index: 0, port: port2 }, [port2]);
    const unset = { topK: undefined, minScore: undefined, maxLength: undefined };
    const payload = { query, texts, wantResults: false, ...unset };
    const { index, logit } = await t.ask('python-worker', 'rerank', payload);
    const logits = [];
    index.forEach((place, at) => (logits[place] = logit[at]));
    port1.close();
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
    await t.inStore(name, 'readwrite', (store) => {
      if (verb === 'delete') store.delete(key);
      else store.keyPath ? store.put(record) : store.put(record, key);
    }).catch(() => {}); // a record without its key cannot be put at all
  },

  /** A digest of a model's files as they are opened, so that a wrong one is seen. */
  async digest(model, dtype) {
    const { graph, externalData, ...texts } = await t.ask('model-worker', 'open', { model, dtype });
    const parts = [graph, ...externalData.map(({ data }) => data)];
    parts.push(texts.config, texts.tokenizer, texts.tokenizerConfig);
    const bytes = await new Blob(parts).arrayBuffer();
    return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).join('.');
  },
});

function change(record, path, verb, value) {
  let target = record;
  for (const step of path.slice(0, -1)) target = target?.[step];
  if (target === null || typeof target !== 'object') return;
  if (verb === 'drop') delete target[path.at(-1)];
  else if (verb === 'put') target[path.at(-1)] = value;
}
