/**
 * @file How many axes the values of a graph have, as far as it can be told without running it.
 */

/** @typedef {import('./onnx-graph.js').Graph} Graph */
/** @typedef {import('./onnx-graph.js').Node} Node */

/** Operators that work number by number, on values broadcast to each other. */
export const ELEMENTWISE = new Set(
  `Add Sub Mul Div Pow Sqrt Exp Erf Tanh Sigmoid Relu Gelu FastGelu BiasGelu QuickGelu Neg Reciprocal
   Abs Sign Not And Or Equal Less Greater Where Cast Identity`.split(/\s+/),
);

/** Operators whose first output has the axes of their first input. */
const SAME = new Set(
  `LayerNormalization SkipLayerNormalization SimplifiedLayerNormalization Dropout CumSum Softmax
   Transpose Slice DequantizeLinear DynamicQuantizeLinear Concat DynamicQuantizeMatMul
   MatMulIntegerToFloat Attention MultiHeadAttention`.split(/\s+/),
);

/**
 * @param {Graph} graph
 * @returns {Map<string, number>} by value; those that cannot be told are not in it
 */
export function ranksOf({ nodes, constants, inputs }) {
  const ranks = new Map(inputs);
  for (const [name, { dims }] of constants) ranks.set(name, dims.length);
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  for (const node of nodes) {
    const rank = rankOf(node, ranks, producers, constants);
    if (rank === undefined || Number.isNaN(rank)) continue;
    ranks.set(node.outputs[0], rank);
    if (node.op === 'Split') node.outputs.forEach((name) => ranks.set(name, rank));
    if (node.op !== 'DynamicQuantizeLinear') continue;
    for (const name of node.outputs.slice(1)) ranks.set(name, 0); // one scale, one zero point
  }
  return ranks;
}

/**
 * @param {Node} node
 * @param {Map<string, number>} ranks
 * @param {Map<string, Node>} producers
 * @param {Graph['constants']} constants
 * @returns {number | undefined} NaN or undefined if it cannot be told
 */
function rankOf(node, ranks, producers, constants) {
  const all = node.inputs.map((name) => ranks.get(name) ?? NaN);
  const [first = NaN, second = NaN] = all;
  const { op } = node;
  if (ELEMENTWISE.has(op)) return Math.max(...all);
  if (SAME.has(op) || op === 'Split') return first;
  if (op === 'Shape') return 1;
  if (op === 'Gather') return first + second - 1;
  if (op === 'MatMul' || op === 'MatMulInteger') {
    return Math.min(first, second) >= 2 ? Math.max(first, second) : undefined;
  }
  if (op === 'ReduceMean') return node.numbers.get('keepdims')?.[0] === 0 ? undefined : first;
  if (op === 'Unsqueeze') {
    const axes = node.numbers.get('axes')?.length ?? constants.get(node.inputs[1])?.dims[0];
    return first + (axes ?? NaN);
  }
  if (op !== 'Reshape') return undefined;
  // As many axes as the new shape has numbers: a constant, or one put together of parts.
  const made = producers.get(node.inputs[1]);
  const parts = made?.op === 'Concat' ? made.inputs : [node.inputs[1]];
  return parts.reduce((sum, name) => sum + countOf(name, ranks, producers, constants), 0);
}

/**
 * How many numbers a vector has; NaN if it cannot be told.
 * @param {string} name
 * @param {Map<string, number>} ranks
 * @param {Map<string, Node>} producers
 * @param {Graph['constants']} constants
 */
function countOf(name, ranks, producers, constants) {
  const constant = constants.get(name);
  if (constant) return constant.dims.length === 1 ? constant.dims[0] : NaN;
  const made = producers.get(name);
  return made?.op === 'Unsqueeze' && ranks.get(made.inputs[0]) === 0 ? 1 : NaN;
}
