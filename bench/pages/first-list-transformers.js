/** @file From navigation to the first ranked list. `request` comes from bench/first_list.py. */

import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  env,
} from '/peers/@huggingface/transformers/dist/transformers.min.js';
import { useLocalParts } from './transformers-parts.js';

const id = useLocalParts(env);
const [tokenizer, model] = await Promise.all([
  AutoTokenizer.from_pretrained(id),
  AutoModelForSequenceClassification.from_pretrained(id),
]);
const { query, documents } = globalThis.request;
const inputs = tokenizer(Array(documents.length).fill(query), {
  text_pair: documents,
  padding: true,
  truncation: true,
});
const scores = (await model(inputs)).logits.sigmoid().tolist();
const ranking = scores.map(([score], index) => ({ index, score }));
ranking.sort((a, b) => b.score - a.score);
globalThis.firstList = { ms: performance.now(), top: ranking[0].index };
