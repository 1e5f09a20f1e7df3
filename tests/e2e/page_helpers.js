// Runs in every page before anything else; see support.py. Gathers what the tests share as `t`.
addEventListener('securitypolicyviolation', (event) =>
  console.error(`CSP violation: ${event.violatedDirective} ${event.blockedURI}`),
);

globalThis.t = {
  /** Every worker that the page has made, in order, with its name. */
  workers: [],
  /** What `t.start` told until it was done; what a later replacement loads is not in it. */
  progress: [],

  /** The library; each call of it is in `calls` until it settles. */
  async lib() {
    t.used = true;
    const library = await import(new URL('webrerank.js', document.baseURI).href);
    const { createReranker, rerank, models } = library;
    return {
      ...library,
      rerank: t.counted('rerank', rerank),
      models: Object.fromEntries(
        Object.entries(models).map(([name, call]) => [name, t.counted(name, call)]),
      ),
      async createReranker(options) {
        const reranker = await t.counted('createReranker', createReranker)(options);
        for (const name of ['rerank', 'dispose'])
          reranker[name] = t.counted(name, reranker[name].bind(reranker));
        return reranker;
      },
    };
  },

  /** The address of a file of the site's release, such as lib/protocol.js. */
  async inRelease(path) {
    const entry = await (await fetch(new URL('webrerank.js', document.baseURI))).text();
    const [folder] = /release\/\w+\//.exec(entry);
    return new URL(folder + path, document.baseURI).href;
  },

  /** Names of public calls that have not settled. */
  calls: new Map(),
  counted:
    (name, call) =>
    (...given) => {
      const key = {};
      t.calls.set(key, name);
      return call(...given).finally(() => t.calls.delete(key));
    },

  /** What has not come to an end: public calls, and messages that a living worker owes an answer. */
  pending: () => [
    ...t.calls.values(),
    ...t.workers.flatMap(({ name, unanswered }) =>
      [...unanswered.values()].map((call) => `${name}: ${call}`),
    ),
  ],

  /** Make the page's reranker. */
  async start(options = {}) {
    const { createReranker } = await t.lib();
    let starting = true;
    const onProgress = (event) => starting && t.progress.push(event);
    t.reranker = await createReranker({ onProgress, ...options });
    starting = false;
  },

  rerank: (query, documents, options = {}) => t.reranker.rerank({ query, documents, ...options }),

  /** How work ended: { value } or { error }. */
  async outcome(work) {
    try {
      return { value: await work() };
    } catch (error) {
      return { error: t.describe(error) };
    }
  },

  describe: (error) => ({
    name: error?.name ?? typeof error,
    typed: error?.constructor?.name === 'RerankError',
    code: error?.code,
    retryable: error?.retryable,
    message: String(error?.message),
    cause: String(error?.cause ?? ''),
  }),

  /**
   * Abort work after some ms, or once a condition holds: how it ended, how long that took, and
   * what it rejected with. `reason` undefined takes the platform's default.
   */
  async abort(work, when, reason) {
    const controller = new AbortController();
    const outcome = work(controller.signal).then(
      () => ({ settled: performance.now(), resolved: true }),
      (error) => ({ settled: performance.now(), error }),
    );
    if (typeof when === 'number') await t.sleep(when);
    else while (!when()) await t.sleep(1);
    const aborted = performance.now();
    controller.abort(reason);
    const { settled, resolved = false, error } = await outcome;
    return {
      resolved,
      ms: settled - aborted,
      isReason: error === controller.signal.reason,
      name: error?.name,
      isDomException: error instanceof DOMException,
    };
  },

  /** End one of the living workers as a crash does: gone, and an error event. */
  crash(name, nth = 0) {
    const living = t.workers.filter((entry) => entry.name.includes(name) && !entry.worker.ended);
    const { worker } = living.at(nth);
    worker.terminate();
    worker.dispatchEvent(new ErrorEvent('error', { message: 'crashed', cancelable: true }));
  },

  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

globalThis.Worker = class extends Worker {
  #unanswered = new Map();
  ended = false;

  constructor(url, options) {
    super(url, options);
    t.workers.push({ name: options?.name ?? '', worker: this, unanswered: this.#unanswered });
    this.addEventListener('message', ({ data }) => {
      if (data?.type !== 'event') this.#unanswered.delete(data?.id);
    });
  }

  postMessage(message, transfer) {
    super.postMessage(message, transfer);
    if (message?.type === 'call') this.#unanswered.set(message.id, message.name);
  }

  terminate() {
    this.ended = true;
    super.terminate();
    this.#unanswered.clear();
  }
};
