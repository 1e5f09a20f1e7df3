/**
 * @file One peer in a page of its own, driven by bench/browser.py through `globalThis.peer`.
 *
 * A peer is a module with `load(options)`, `rerank(query, documents, options)`, which answers as
 * its users get it, and `logits(answer)`, the raw scores in input order, which is not timed.
 */

import { inWorker } from './in-worker.js';

/** A call that takes longer counts as failed, ms. */
const LONGEST_MS = 15 * 60_000;

let module;

globalThis.peer = {
  /** @param {{ module: string, worker?: boolean, options?: object }} what */
  async load({ module: name, worker = false, options = {} }) {
    const url = new URL(`./${name}.js`, import.meta.url).href;
    module = worker ? inWorker(url) : await import(url);
    return inTime(module.load(options));
  },

  /** @returns {Promise<{ ms: number, logits: number[], details: object }>} */
  async rerank({ query, documents, options = {} }) {
    const started = performance.now();
    const answer = await inTime(module.rerank(query, documents, options));
    const ms = performance.now() - started;
    return { ms, started: performance.timeOrigin + started, ...(await module.read(answer)) };
  },
};

function inTime(work) {
  const late = new Promise((_, reject) =>
    setTimeout(() => reject(new Error('no answer within 15 minutes')), LONGEST_MS),
  );
  return Promise.race([work, late]);
}
