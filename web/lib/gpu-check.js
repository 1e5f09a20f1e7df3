/**
 * @file Does the GPU compute what it should? WebGPU drivers have given the same number for every
 * document, NaN, and plain wrong results without an error (ANCHORS.md c). Two short pairs are run
 * on the GPU, padded into one batch, and one by one on WebAssembly with the same weights.
 */

import { SessionWorkers } from './session-workers.js';
import { disposed } from './worker-client.js';

/** @typedef {import('./session-workers.js').Batch} Batch */

/** How far a logit may be off: fp16 rounds on its own in every layer. */
const TOLERANCE = { fp32: 0.01, fp16: 0.25, q8: 0.25 };

/**
 * @param {SessionWorkers} gpu loaded
 * @param {import('./store/open.js').ModelFiles} files
 * @param {import('../webrerank.js').Dtype} dtype
 * @param {AbortSignal} [signal]
 * @returns {Promise<boolean>}
 */
export async function gpuAgrees(gpu, files, dtype, signal) {
  const none = async () => {};
  const reference = new SessionWorkers('wasm', {
    ...{ onLost: none, onReplaced: none, onFewer: none, onGivenUp: none },
  });
  try {
    reference.resize(1);
    await reference.load(files, signal);
    const [long, short] = [12, 7];
    const computed = await gpu.probe(pairs([long, short]), signal);
    const expected = [
      ...(await reference.probe(pairs([long]), signal)),
      ...(await reference.probe(pairs([short]), signal)),
    ];
    return (
      computed.length === expected.length &&
      computed.every((logit, place) => Math.abs(logit - expected[place]) <= TOLERANCE[dtype])
    );
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
