/**
 * @file LocalMode's reranker. `quantized` since its default asks for the fp32 file, `device` since
 * its default tries others before WebAssembly; `doRerank` is what its `rerank()` calls.
 */

import { env } from '@huggingface/transformers';
import { transformers } from '@localmode/transformers';
import { useLocalParts } from './transformers-parts.js';

let model;

export async function load() {
  model = transformers.reranker(useLocalParts(env), { quantized: true, device: 'wasm' });
  await model.doRerank({ query: 'a', documents: ['b'] }); // it loads with the first call
}

export const rerank = (query, documents) => model.doRerank({ query, documents });

export function read({ results }) {
  const logits = [];
  for (const { index, score } of results) logits[index] = Math.log(score / (1 - score));
  return { logits, details: {} };
}
