/**
 * @file Names the page's files share.
 *
 * @typedef {import('../webrerank.js').LoadProgress} LoadProgress
 * @typedef {import('../webrerank.js').Ranking} Ranking
 * @typedef {import('../webrerank.js').RerankResult} Result
 * @typedef {import('../webrerank.js').Reranker} Reranker
 *
 * @typedef {{ headline: string, detail?: string }} Words
 * @typedef {{ query: string, documents: string[] }} RankingRequest
 * @typedef {{ words: string, fraction: number, note?: string }} Progress `fraction` in [0, 1]
 * @typedef {{ headline?: string, message: string, retryable: boolean }} Failure
 */
export {};
