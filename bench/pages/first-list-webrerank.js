/** @file From navigation to the first ranked list. `request` comes from bench/first_list.py. */

import { createReranker } from '/webrerank/webrerank.js';

const reranker = await createReranker({ cache: false });
const { results } = await reranker.rerank(globalThis.request);
globalThis.firstList = { ms: performance.now(), top: results[0].index };
