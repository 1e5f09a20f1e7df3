/** @file Search as you type: a new query cancels the one before. */

import { RerankError } from './errors.js';

/** @type {typeof import('../webrerank.js').latestOnly} */
export function latestOnly(reranker) {
  if (typeof reranker?.rerank !== 'function') {
    throw new RerankError('invalid_request', 'latestOnly needs a reranker of createReranker.');
  }
  /** @type {AbortController | null} */
  let current = null;
  return async (options) => {
    current?.abort(new DOMException('A newer query took the place of this one.', 'AbortError'));
    const controller = new AbortController();
    current = controller;
    const { signal, abortSignal, ...rest } = options ?? {};
    const own = signal ?? abortSignal;
    const either = own ? AbortSignal.any([own, controller.signal]) : controller.signal;
    try {
      return await reranker.rerank({ .../** @type {any} */ (rest), signal: either });
    } finally {
      if (current === controller) current = null;
    }
  };
}
