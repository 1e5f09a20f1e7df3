/** @file webrerank with its defaults; only its score cache is off, or repeats would cost nothing. */

let reranker;

/** @param {{ folder?: string, sessions?: number, engine?: string }} options */
export async function load({ folder = 'webrerank', ...options }) {
  const { createReranker } = await import(`/${folder}/webrerank.js`);
  reranker = await createReranker({ cache: false, ...options });
}

export const rerank = (query, documents) => reranker.rerank({ query, documents });

export function read({ results, usage, sessions, device, engine, fallback }) {
  const logits = [];
  for (const { index, logit } of results) logits[index] = logit;
  return { logits, details: { usage, sessions, device, engine, fallback } };
}
