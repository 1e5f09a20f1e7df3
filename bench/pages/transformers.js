/**
 * @file transformers.js. Without options as its users run it: one padded batch, all defaults
 * (WebAssembly, int8). The options are what can be tuned.
 */

import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  env,
} from '/peers/@huggingface/transformers/dist/transformers.min.js';
import { useLocalParts } from './transformers-parts.js';

let tokenizer;
let model;

/** @param {{ threads?: number }} options */
export async function load({ threads }) {
  const id = useLocalParts(env);
  if (threads) env.backends.onnx.wasm.numThreads = threads;
  tokenizer = await AutoTokenizer.from_pretrained(id);
  model = await AutoModelForSequenceClassification.from_pretrained(id);
}

/** @param {{ batch?: number }} options with `batch`: sorted by length, so many pairs a run */
export async function rerank(query, documents, { batch = documents.length }) {
  const order = documents.map((_, index) => index);
  if (batch < documents.length) {
    order.sort((a, b) => documents[a].length - documents[b].length);
  }
  const logits = [];
  const ranking = [];
  for (let start = 0; start < order.length; start += batch) {
    const places = order.slice(start, start + batch);
    const inputs = tokenizer(Array(places.length).fill(query), {
      text_pair: places.map((index) => documents[index]),
      padding: true,
      truncation: true,
    });
    const output = await model(inputs);
    const scores = output.logits.sigmoid().tolist();
    for (const [row, index] of places.entries()) {
      logits[index] = output.logits.data[row];
      ranking.push({ index, score: scores[row][0] });
    }
  }
  ranking.sort((a, b) => b.score - a.score);
  return { ranking, logits };
}

export const read = ({ logits }) => ({
  logits,
  details: { threads: env.backends.onnx.wasm.numThreads ?? null },
});
