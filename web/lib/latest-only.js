/** @file Search as you type: a new query cancels the one before. */

import { invalid, readable } from './checks.js';
import { splitSignal } from './request.js';

/** @type {typeof import('../webrerank.js').latestOnly} */
export function latestOnly(reranker) {
  if (!readable(() => typeof reranker?.rerank === 'function', 'The reranker')) {
    throw invalid('latestOnly must be given a reranker of createReranker.');
  }
  /** @type {AbortController | null} */
  let current = null;
  return async (options) => {
    current?.abort(new DOMException('A newer query took the place of this one.', 'AbortError'));
    const controller = new AbortController();
    current = controller;
    try {
      const { signal, rest } = splitSignal(options);
      const either = signal ? AbortSignal.any([signal, controller.signal]) : controller.signal;
      return await reranker.rerank({ .../** @type {any} */ (rest), signal: either });
    } finally {
      if (current === controller) current = null;
    }
  };
}
