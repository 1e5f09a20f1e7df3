/**
 * @file Names the page's files share.
 *
 * @typedef {import('../webrerank.js').LoadProgress} LoadProgress
 * @typedef {import('../webrerank.js').ModelInfo} ModelInfo
 * @typedef {import('../webrerank.js').Ranking} Ranking
 * @typedef {import('../webrerank.js').RerankResult} Result
 * @typedef {import('../webrerank.js').Reranker} Reranker
 *
 * @typedef {{ headline: string, detail?: string }} Words
 * @typedef {{ query: string, documents: string[] }} RankingRequest
 * @typedef {{ words: string, fraction: number, note?: string }} Progress `fraction` in [0, 1]
 * @typedef {{ headline?: string, message: string, retryable: boolean }} Failure
 *
 * @typedef {{ name: string, model: string | File[] }} ModelChoice `name` is what the page calls it
 * @typedef {'saved' | 'no-room' | 'from-files' | 'removed'} Keeping whether the next visit finds the model here
 * @typedef {{ choice: ModelChoice, keeping: Keeping | null }} ModelInUse `keeping` is null while it loads
 */
export {};
