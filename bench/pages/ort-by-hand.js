/**
 * @file ONNX Runtime Web called by hand: one pair a run, no tokenizer (it gets webrerank's ids),
 * no ranking. What is left is inference.
 */

import { VENDOR } from '/places.js';

const ort = await import(`${VENDOR.ort}ort.wasm.min.mjs`);

const ORT = `${VENDOR.ort}ort-wasm-simd-threaded`;
const MODEL = '/webrerank/models/ms-marco-MiniLM-L-12-v2/onnx/model_quantized.onnx';

let session;

/** @param {{ threads: number }} options */
export async function load({ threads }) {
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = { mjs: `${ORT}.mjs`, wasm: `${ORT}.wasm` };
  const bytes = await (await fetch(MODEL)).arrayBuffer();
  session = await ort.InferenceSession.create(new Uint8Array(bytes), {
    executionProviders: ['wasm'],
  });
}

/** @param {{ pairs: { ids: number[], types: number[] }[] }} options */
export async function rerank(_query, _documents, { pairs }) {
  const logits = [];
  for (const { ids, types } of pairs) {
    const tensor = (values) =>
      new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
    const outputs = await session.run({
      input_ids: tensor(ids),
      attention_mask: tensor(ids.map(() => 1)),
      token_type_ids: tensor(types),
    });
    logits.push(outputs.logits.data[0]);
  }
  return logits;
}

export const read = (logits) => ({ logits, details: { threads: ort.env.wasm.numThreads } });
