/**
 * @file Does the GPU compute what it should? WebGPU drivers have given the same number for every
 * document, NaN, and plain wrong results without an error (docs/platform.md). At each start two short
 * pairs are run on the GPU, padded into one batch, and compared with what WebAssembly gives one by
 * one with the same weights. What WebAssembly gives is kept with the model's name by content, so
 * that later starts need no second copy of the model in memory.
 */

import { RerankError } from './errors.js';
import { withModelWorker } from './models.js';
import { SessionWorkers } from './session-workers.js';
import { disposed } from './worker-client.js';

/** @typedef {import('./session-workers.js').Batch} Batch */
/** @typedef {import('./session-workers.js').Weights} Weights */
/** @typedef {import('../webrerank.js').Dtype} Dtype */

/** How far a logit may be off: fp16 rounds on its own in every layer. */
const TOLERANCE = { fp32: 0.01, fp16: 0.25 };

/** Tokens of the two pairs. */
const [LONG, SHORT] = [12, 7];

/**
 * Why the GPU cannot be used after all; empty if it can.
 * @param {Promise<SessionWorkers>} loading settles once the model is on the GPU
 * @param {Weights} files
 * @param {Dtype} dtype
 * @param {AbortSignal} signal
 * @returns {Promise<string>}
 * @throws {RerankError} what keeps WebAssembly from running the model: not the GPU's fault
 */
export async function gpuFailure(loading, files, dtype, signal) {
  let computed;
  try {
    computed = await (await loading).probe(pairs([LONG, SHORT]), signal);
  } catch (error) {
    signal.throwIfAborted();
    const code = error instanceof RerankError ? error.code : 'internal';
    return `The model did not start on the GPU (${code}), so it runs on WebAssembly.`;
  }
  const expected = await expectedLogits(files, signal);
  const tolerance = dtype === 'fp16' ? TOLERANCE.fp16 : TOLERANCE.fp32; // no q8 on a GPU
  const agrees =
    computed.length === expected.length &&
    computed.every((logit, place) => Math.abs(logit - expected[place]) <= tolerance);
  return agrees ? '' : 'The GPU gave other numbers than the CPU, so the model runs on WebAssembly.';
}

/**
 * What the model gives for the two pairs, as it was kept, or computed on WebAssembly.
 * @param {Weights} files
 * @param {AbortSignal} signal
 * @returns {Promise<number[]>}
 */
function expectedLogits({ graph, externalData }, signal) {
  return withModelWorker(async (store) => {
    const key = await store.call('digest', { graph, externalData }, { signal });
    const kept = await store.call('keptLogits', { key }, { signal });
    if (kept) return kept;
    const logits = await compute({ graph, externalData }, signal);
    await store.call('keepLogits', { key, logits }, { signal });
    return logits;
  });
}

/**
 * @param {Weights} files
 * @param {AbortSignal} signal
 */
async function compute(files, signal) {
  try {
    return await computeOnce(files, signal);
  } catch (error) {
    // A worker may die and a file may fail to come: once more, before the start fails with it.
    if (signal.aborted || !(error instanceof RerankError && error.retryable)) throw error;
    return computeOnce(files, signal);
  }
}

/**
 * @param {Weights} files
 * @param {AbortSignal} signal
 */
async function computeOnce(files, signal) {
  const none = async () => {};
  const reference = new SessionWorkers('wasm', 'onnxruntime', {
    ...{ onLost: none, onReplaced: none, onFewer: none, onGivenUp: none },
  });
  try {
    reference.resize(1);
    await reference.load(files, signal);
    return [
      ...(await reference.probe(pairs([LONG]), signal)),
      ...(await reference.probe(pairs([SHORT]), signal)),
    ];
  } finally {
    reference.end(disposed());
  }
}

/**
 * Pairs of small token ids, which every vocabulary has, padded to the longest.
 * @param {number[]} lengths
 * @returns {Batch}
 */
function pairs(lengths) {
  const rows = lengths.length;
  const length = Math.max(...lengths);
  /** @param {(column: number, own: number) => number} value */
  const fill = (value) =>
    BigInt64Array.from({ length: rows * length }, (_, place) =>
      BigInt(value(place % length, lengths[Math.floor(place / length)])),
    );
  return {
    inputIds: fill((column, own) => (column < own ? 2 + ((column * 3 + own) % 9) : 0)),
    attentionMask: fill((column, own) => Number(column < own)),
    tokenTypeIds: fill(() => 0),
    rows,
    length,
  };
}
