// Runs in the page, after page_helpers.js. Values that no caller should give and some caller will,
// each made anew when asked for; and where in the API they can be given.
(() => {
  const SECRET = 's3cr3t';
  const boom = () => {
    throw new Error(SECRET);
  };
  const throwing = (trap) => new Proxy(['a'], { [trap]: boom });
  const revoked = (target) => {
    const { proxy, revoke } = Proxy.revocable(target, {});
    revoke();
    return proxy;
  };
  const lying = (length) =>
    new Proxy(['a'], {
      get: (list, name) => (name === 'length' ? length : Reflect.get(list, name)),
    });
  const cyclic = (value) => Object.assign(value, { self: value });
  const frame = () => {
    const iframe = document.createElement('iframe');
    document.body.append(iframe);
    return iframe.contentWindow;
  };
  const file = () => new File(['{}'], `${SECRET}.json`);
  class OddArray extends Array {
    *[Symbol.iterator]() {
      for (;;) yield SECRET;
    }
    map = boom;
    every = boom;
  }
  const coercing = () => ({
    [Symbol.toPrimitive]: boom,
    toString: boom,
    valueOf: boom,
    toJSON: boom,
  });

  t.hostile = {
    undefined: () => undefined,
    null: () => null,
    true: () => true,
    0: () => 0,
    '-0': () => -0,
    NaN: () => NaN,
    Infinity: () => Infinity,
    '-1': () => -1,
    0.5: () => 0.5,
    1: () => 1,
    1.5: () => 1.5,
    '1e308': () => 1e308,
    '2**53': () => 2 ** 53,
    '2**53-1': () => 2 ** 53 - 1,
    bigint: () => 5n,
    symbol: () => Symbol(SECRET),
    empty: () => '',
    blank: () => '\u00a0\ufeff',
    text: () => SECRET,
    'lone surrogate': () => '\ud800',
    markup: () => '<img src=x onerror=alert(1)>',
    __proto__name: () => '__proto__',
    'boxed string': () => new String(SECRET),
    'boxed number': () => new Number(1),
    'boxed symbol': () => Object(Symbol(SECRET)),
    date: () => new Date(0),
    regexp: () => /s3cr3t/,
    function: () => () => SECRET,
    class: () => class {},
    'function that throws': () => boom,
    'revoked function': () => revoked(() => {}),
    generator: () => (function* () {})(),
    promise: () => Promise.resolve(SECRET),
    thenable: () => ({ then: boom }),
    object: () => ({}),
    'null prototype': () => Object.create(null),
    'null prototype with text': () => Object.assign(Object.create(null), { text: SECRET }),
    'own __proto__': () => JSON.parse('{"__proto__": {"text": "s3cr3t"}}'),
    frozen: () => Object.freeze({ text: SECRET }),
    'frozen array': () => Object.freeze([Object.freeze({ text: SECRET })]),
    cyclic: () => cyclic({ text: SECRET }),
    'cyclic array': () => {
      const list = [];
      list.push(list);
      return list;
    },
    'text a number': () => ({ text: 5 }),
    'inherited text': () => Object.create({ text: SECRET }),
    'getter that throws': () => ({ get text() { return boom(); } }), // prettier-ignore
    'options getter that throws': () => ({ get query() { return boom(); } }), // prettier-ignore
    'length getter that throws': () => ({ get length() { return boom(); } }), // prettier-ignore
    'coercion that throws': () => coercing(),
    'array of nothing': () => [],
    'array of text': () => [SECRET],
    sparse: () => [, SECRET], // eslint-disable-line no-sparse-arrays
    'all holes': () => new Array(5),
    'array-like': () => ({ length: 1, 0: SECRET }),
    'array-like, huge': () => ({ length: 2 ** 40 }),
    'array-like, without end': () => ({ length: Infinity }),
    'array subclass': () => OddArray.of(SECRET),
    'typed array': () => new Uint8Array(2),
    buffer: () => new ArrayBuffer(2),
    map: () => new Map([['text', SECRET]]),
    set: () => new Set([SECRET]),
    arguments: () => (function () { return arguments; })(SECRET), // prettier-ignore
    'iterable without end': () => ({ *[Symbol.iterator]() { for (;;) yield SECRET; } }), // prettier-ignore
    'proxy, get': () => throwing('get'),
    'proxy, ownKeys': () => throwing('ownKeys'),
    'proxy, getPrototypeOf': () => throwing('getPrototypeOf'),
    'proxy, descriptor': () => throwing('getOwnPropertyDescriptor'),
    'revoked object': () => revoked({}),
    'revoked array': () => revoked([]),
    'length NaN': () => lying(NaN),
    'length -1': () => lying(-1),
    'length 1e308': () => lying(1e308),
    'length Infinity': () => lying(Infinity),
    'length a text': () => lying(SECRET),
    'length a bigint': () => lying(1n),
    'length an object': () => lying(coercing()),
    'array of another frame': () => frame().Array.of(SECRET),
    window: () => window,
    element: () => document.body,
    'document.all': () => document.all,
    error: () => new Error(SECRET),
    blob: () => new Blob(['{}']),
    file,
    files: () => [file()],
    'no file': () => Object.create(File.prototype),
    'no files': () => [Object.create(File.prototype)],
    'no blob': () => Object.create(Blob.prototype),
    'proxied file': () => new Proxy(file(), {}),
    'proxied files': () => [new Proxy(file(), {})],
    controller: () => new AbortController(),
    'signal, aborted': () => AbortSignal.abort(new DOMException('mine', 'AbortError')),
    'signal, overwritten': () =>
      Object.defineProperties(AbortSignal.abort(new DOMException('mine', 'AbortError')), {
        aborted: { get: boom },
        reason: { get: boom },
        throwIfAborted: { value: boom },
        addEventListener: { value: boom },
      }),
    'signal of another frame': () =>
      frame().AbortSignal.abort(new DOMException('mine', 'AbortError')),
    'signal look-alike': () => ({
      aborted: false,
      reason: undefined,
      addEventListener() {},
      removeEventListener() {},
      throwIfAborted() {},
    }),
    'no signal': () => Object.create(AbortSignal.prototype),
    'proxied signal': () => new Proxy(new AbortController().signal, {}),
  };

  const ok = { query: 'how many', documents: ['a', 'b'] };
  const rank = (options) => t.reranker.rerank(options);
  /** So that what is accepted starts nothing. */
  const aborted = () => AbortSignal.abort(new DOMException('mine', 'AbortError'));
  const create = async (options) => (await t.lib()).createReranker(options);
  const store = async (name, ...given) => (await t.lib()).models[name](...given);

  const RERANK = ['query', 'documents', 'fields', 'topK', 'minScore', 'maxLength', 'longDocuments'];
  const REST = ['signal', 'abortSignal', 'onFailure', 'onProgress', 'onResult', 'nonsense'];
  const LOAD = ['model', 'device', 'dtype', 'sessions', 'cache', 'onProgress'];

  /** Every place of the API that takes a value, as a function of that value. */
  t.places = {
    'rerank()': rank,
    ...Object.fromEntries(
      [...RERANK, ...REST].map((name) => [`rerank ${name}`, (v) => rank({ ...ok, [name]: v })]),
    ),
    'rerank documents[1]': (v) => rank({ ...ok, documents: ['a', v] }),
    'rerank documents[0].text': (v) => rank({ ...ok, documents: [{ text: v }] }),
    'rerank fields[0]': (v) => rank({ ...ok, fields: [v] }),
    'createReranker()': (v) => create(v),
    ...Object.fromEntries(
      LOAD.map((name) => [
        `createReranker ${name}`,
        (v) => create({ signal: aborted(), [name]: v }),
      ]),
    ),
    'createReranker signal': (v) => create({ signal: v }),
    'createReranker model[0]': (v) => create({ signal: aborted(), model: [v] }),
    ...Object.fromEntries(
      LOAD.slice(0, 5).map((name) => [
        `one-call ${name}`,
        async (v) => (await t.lib()).rerank({ query: 'q', documents: [], [name]: v }),
      ]),
    ),
    'latestOnly()': async (v) => (await t.lib()).latestOnly(v),
    'latestOnly()()': async (v) => (await t.lib()).latestOnly(t.reranker)(v),
    'latestOnly()() signal': async (v) =>
      (await t.lib()).latestOnly(t.reranker)({ ...ok, signal: v }),
    'prefetch()': (v) => store('prefetch', v, { signal: aborted() }),
    'prefetch(, )': (v) => store('prefetch', 'x', v),
    'prefetch device': (v) => store('prefetch', 'x', { signal: aborted(), device: v }),
    'prefetch signal': (v) => store('prefetch', 'x', { signal: v }),
    'remove()': (v) => store('remove', v),
    'add()': (v) => store('add', v, [file()]),
    'add(, )': (v) => store('add', 'x', v),
    'export()': (v) => store('export', v),
    'import()': (v) => store('import', v),
  };

  /** All of a value that can change, getters not called; equal for equal values. */
  t.shape = (value, seen = new Map()) => {
    const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
    if (!isObject) return Object.is(value, -0) ? '-0' : String(value);
    if (seen.has(value)) return `#${seen.get(value)}`;
    seen.set(value, seen.size);
    try {
      if (value instanceof Node || value === window) return 'host';
      const properties = Reflect.ownKeys(value).map((name) => {
        const { get, value: held, ...flags } = Reflect.getOwnPropertyDescriptor(value, name);
        return [String(name), get ? 'getter' : t.shape(held, seen), JSON.stringify(flags)].join();
      });
      return `{${Object.isExtensible(value)} ${properties.join(';')}}`;
    } catch {
      return 'unreadable';
    }
  };

  /** What every hostile value comes to at a place. */
  t.tryAll = async (place, skip = []) => {
    const answers = {};
    for (const [name, make] of Object.entries(t.hostile)) {
      if (skip.includes(name)) continue;
      const value = make();
      const before = t.shape(value);
      const { error, value: answer } = await t.outcome(() => t.places[place](value));
      const changed = t.shape(value) !== before;
      answers[name] = { error, changed, sound: !answer?.results || t.isSound(answer) };
      document.querySelectorAll('iframe').forEach((iframe) => iframe.remove());
    }
    return answers;
  };

  /** What holds of every ranking; of these documents and options, if they are given. */
  t.isSound = ({ results, usage }, { documents, topK = Infinity, minScore = 0 } = {}) =>
    results.every(
      ({ index, rank, score, logit, document }, place) =>
        rank === place + 1 &&
        score >= minScore &&
        score <= 1 &&
        (place === 0 || score <= results[place - 1].score) &&
        (logit === null ? score === 0 : Number.isFinite(logit)) &&
        (!documents || Object.is(document, documents[index])),
    ) &&
    new Set(results.map(({ index }) => index)).size === results.length &&
    results.length <= Math.min(topK, usage.documents) &&
    (!documents || usage.documents === documents.length);

  const GOOD = {
    query: ['how many', 'a', '\ud800 x', '{{7*7}}'],
    document: ['a', '', ' ', 'b c', '\udc00', { text: 'a', title: 'b' }, { title: 'c', text: '' }],
    fields: [['text'], ['title', 'text'], undefined],
    topK: [1, 2, 1000, undefined],
    minScore: [0, 0.5, 1, undefined],
    maxLength: [5, 64, undefined],
    longDocuments: ['truncate', undefined],
    onFailure: ['throw', 'input-order'],
    signal: [undefined],
    onProgress: [() => {}],
  };

  /** Requests made at random, the same for the same seed; gives what came of them. */
  t.fuzz = async (seed, count) => {
    let state = seed;
    const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
    const pick = (list) => list[Math.floor(random() * list.length)];
    const bad = () => pick(Object.values(t.hostile))();
    const told = { answered: 0, refused: 0, aborted: 0, wrong: [] };
    for (let n = 0; n < count; n++) {
      const document = () => (random() < 0.06 ? bad() : pick(GOOD.document));
      const options = {
        query: random() < 0.05 ? bad() : pick(GOOD.query),
        documents: random() < 0.05 ? bad() : Array.from({ length: random() * 5 }, document),
      };
      for (const name of Object.keys(GOOD).slice(2)) {
        if (random() < 0.4) options[name] = random() < 0.1 ? bad() : pick(GOOD[name]);
      }
      const before = t.shape(options);
      const { error, value } = await t.outcome(() => t.reranker.rerank(options));
      if (error?.code === 'invalid_request' && error.typed) told.refused++;
      else if (error?.name === 'AbortError' && options.signal) told.aborted++;
      else if (value && t.isSound(value, options)) told.answered++;
      else told.wrong.push([n, error]);
      if (t.shape(options) !== before) told.wrong.push([n, 'changed']);
      if (error?.message.includes(SECRET)) told.wrong.push([n, 'told']);
      window.document.querySelectorAll('iframe').forEach((iframe) => iframe.remove());
    }
    return told;
  };
})();
