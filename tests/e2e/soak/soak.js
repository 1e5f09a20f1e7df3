// What the soak asks of a reranker, as `soak`. Every text is new, so that one that is kept shows.
globalThis.soak = {
  count: 0,
  /** Given to every call that ends, as a page's own would be. */
  signal: new AbortController().signal,

  documents: () =>
    Array.from({ length: 50 }, (_, n) => `document ${n} of call ${soak.count}, about the weather`),

  async rerank(reranker) {
    const query = `rain in ${++soak.count}`;
    const documents = soak.documents();
    const onResult = soak.count % 2 ? () => {} : undefined; // two ways of telling on the way
    const { results, usage } = await reranker.rerank({
      ...{ query, documents, onResult },
      signal: soak.signal,
    });
    if (results.length !== 50 || usage.pairs !== 50) throw new Error('not all were reranked');
  },

  /** Abort after so many pairs; 0 is at once. */
  async abort(reranker, pairs) {
    const stop = new AbortController();
    let done = 0;
    const onProgress = () => ++done === pairs && stop.abort();
    const request = { query: `wind in ${++soak.count}`, documents: soak.documents() };
    const call = reranker.rerank({ ...request, onProgress, signal: stop.signal });
    if (!pairs) stop.abort();
    const reason = await call.then(() => 'none', (error) => error);
    if (reason !== stop.signal.reason) throw new Error('an abort was not heard');
  },

  /** Reranks and aborts by turns, the aborts at every stage. */
  async mix(reranker, reranks, aborts) {
    for (let n = 0, aborted = 0; n < reranks; n++) {
      await soak.rerank(reranker);
      for (; aborted < ((n + 1) * aborts) / reranks; aborted++)
        await soak.abort(reranker, (aborted * 7) % 50);
    }
  },

  /** A reranker as from t.start, beside that one. */
  async visit(options, reranks, aborts) {
    const { createReranker } = await t.lib();
    const before = t.workers.length;
    const reranker = await createReranker(options);
    await soak.mix(reranker, reranks, aborts);
    await reranker.dispose();
    t.workers.length = before; // the tests' own list would keep them
  },
};
