/** @file The public library: search reranking in the user's own browser. See webrerank.d.ts. */

export { createReranker, rerank } from './lib/reranker.js';
export { latestOnly } from './lib/latest-only.js';
export { models } from './lib/models.js';
export { RerankError } from './lib/errors.js';
