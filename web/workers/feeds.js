/**
 * @file Feeds for the runs that need no Python: the warm-up, and the check of a GPU. Made from what
 * the session says of its inputs, in the types and the fixed sizes that the graph wants. Whether
 * it is a reranker's graph at all is for Python to say (py_src/webrerank/interface.py).
 */

/** @typedef {import('onnxruntime-web').InferenceSession['inputMetadata']} Inputs */
/** @typedef {import('../lib/protocol.js').Batch} Batch */
/** @typedef {import('../lib/protocol.js').RunMessage} RunMessage */

/** What is fed where a graph wants it; zeros to all others. */
const SOURCES = /** @type {const} */ ({
  input_ids: 'inputIds',
  attention_mask: 'attentionMask',
  token_type_ids: 'tokenTypeIds',
});

/**
 * The runs that a batch takes: one, or several if the graph fixes a smaller number of rows.
 * @param {Inputs} declared by the session
 * @param {Batch} batch
 * @returns {Generator<Pick<RunMessage, 'feeds' | 'output' | 'rows' | 'length'> & { wanted: number }>}
 *   wanted: how many of the rows are the batch's own
 */
export function* runsOf(declared, batch) {
  const inputs = declared.filter((input) => input.isTensor);
  const fixed = (/** @type {number} */ axis) =>
    inputs.map(({ shape }) => Number(shape[axis])).find((size) => size > 0);
  const rows = fixed(0) ?? batch.rows;
  const length = fixed(1) ?? batch.length;
  for (let first = 0; first < batch.rows; first += rows) {
    /** @type {RunMessage['feeds']} */
    const feeds = {};
    for (const { name, type } of inputs) {
      const source = batch[SOURCES[/** @type {keyof typeof SOURCES} */ (name)]];
      /** @param {number} place */
      const value = (place) => {
        const row = Math.min(first + Math.floor(place / length), batch.rows - 1);
        const column = place % length;
        return (column < batch.length && source?.[row * batch.length + column]) || 0n;
      };
      const size = { length: rows * length };
      feeds[name] =
        type === 'int32'
          ? Int32Array.from(size, (_, place) => Number(value(place)))
          : BigInt64Array.from(size, (_, place) => value(place));
    }
    yield { feeds, output: '', rows, length, wanted: Math.min(rows, batch.rows - first) };
  }
}
