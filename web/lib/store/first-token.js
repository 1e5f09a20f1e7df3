/**
 * @file A cross-encoder reads its answer off the first token alone. In its last layer, what comes
 * after attention is done token by token, so for all tokens but the first it is done for nothing:
 * some 5 % of the work of a model of twelve layers, a third of one of two. This file makes
 * a graph do it for the first token only.
 *
 * Must: change nothing unless it is certain that the graph means the same. Found are the operators
 * that (1) work on each token by itself, and (2) whose results nobody but the first token's answer
 * uses. Values that enter them from outside are cut to the first token; what it cannot tell stays
 * as it is. In int8 the numbers that are rounded together are fewer, so logits differ by the
 * rounding; otherwise they are the same.
 */

import { ATTRIBUTE, GRAPH, INT, NODE, readGraph, TENSOR } from './onnx-graph.js';
import { ELEMENTWISE, ranksOf } from './onnx-ranks.js';
import { add, addMessage, addNumber, empty, rewrite, text, textOf } from './protobuf.js';

/** @typedef {import('./onnx-graph.js').Graph} Graph */
/** @typedef {import('./onnx-graph.js').Node} Node */
/** @typedef {import('./protobuf.js').Field} Field */
/** @typedef {import('./protobuf.js').Message} Message */

/** Axes of a hidden state: (rows, tokens, features). */
const RANK = 3;
const TOKENS = 1;

/** Products with weights: token by token, and what makes it worth while. */
const PRODUCTS = new Set(
  'MatMul MatMulInteger DynamicQuantizeMatMul MatMulIntegerToFloat'.split(' '),
);

/** Over some axes: the last alone is token by token. */
const OVER_AXES = new Set(['LayerNormalization', 'SimplifiedLayerNormalization', 'ReduceMean']);

/** TensorProto.INT64 */
const INT64 = 7;
const PREFIX = 'webrerank:first:';
const FIRST = `${PREFIX}index`;

/**
 * @typedef {object} Edits of a graph
 * @property {(part: Field) => Message[] | undefined} replace fields to put anew, see `rewrite`
 * @property {Message[]} added further initializers
 */

/** @type {Edits} */
export const UNCHANGED = { replace: () => undefined, added: [] };

/**
 * What to change in a graph; nothing, if it does not apply.
 * @param {Uint8Array} bytes
 * @param {Field} field the graph
 * @returns {Edits}
 */
export function firstTokenOnly(bytes, field) {
  const graph = readGraph(bytes, field);
  const values = valuesOf(graph);
  const narrowed = narrowedIn(graph, values);
  if ([...narrowed].some(({ op }) => PRODUCTS.has(op))) return edits(bytes, narrowed, values);
  return UNCHANGED;
}

/**
 * What is known of the values of a graph.
 * @typedef {object} Values
 * @property {(name: string) => number} rank how many axes; NaN if it cannot be told
 * @property {(name: string) => boolean} isFixed whether it does not depend on the input
 * @property {(name: string) => number | null} whole a constant that is one whole number
 */

/**
 * @param {Graph} graph
 * @returns {Values}
 */
function valuesOf(graph) {
  const ranks = ranksOf(graph);
  const fixed = new Set(['', ...graph.constants.keys()]);
  for (const { inputs, outputs } of graph.nodes) {
    if (inputs.length && inputs.every((name) => fixed.has(name))) {
      outputs.forEach((name) => fixed.add(name));
    }
  }
  return {
    rank: (name) => ranks.get(name) ?? NaN,
    isFixed: (name) => fixed.has(name),
    whole: (name) => graph.constants.get(name)?.whole ?? null,
  };
}

/**
 * @param {Node} node
 * @param {Values} values
 */
function picksFirstToken({ op, inputs, numbers }, { rank, whole }) {
  if (op !== 'Gather' || numbers.get('axis')?.[0] !== TOKENS) return false;
  return rank(inputs[0]) === RANK && whole(inputs[1]) === 0;
}

/**
 * The operators that need to see the first token only: all that use their results take the first
 * token, or are such operators themselves. One pass from the end, for users come after makers.
 * @param {Graph} graph
 * @param {Values} values
 * @returns {Set<Node>}
 */
function narrowedIn({ nodes, outputs }, values) {
  /** @type {Set<Node>} */
  const narrowed = new Set();
  if (nodes.some(({ holdsGraph }) => holdsGraph)) return narrowed; // it may use any value
  const used = new Set(outputs); // by others, of all tokens
  const narrowlyUsed = new Set();
  const cut = new Set();
  for (const node of nodes.toReversed()) {
    const [data, ...others] = node.inputs;
    if (node.inputs.some((name) => cut.has(name))) return new Set(); // not in topological order
    if (picksFirstToken(node, values)) {
      narrowlyUsed.add(data);
      others.forEach((name) => used.add(name));
      continue;
    }
    const isNarrow =
      node.outputs.some((name) => narrowlyUsed.has(name)) &&
      !node.outputs.some((name) => used.has(name)) &&
      isTokenByToken(node, values);
    if (isNarrow) {
      narrowed.add(node);
      node.outputs.forEach((name) => cut.add(name));
    }
    for (const name of node.inputs) (isNarrow ? narrowlyUsed : used).add(name);
  }
  return narrowed;
}

/**
 * @param {Node} node
 * @param {Values} values
 */
function isTokenByToken({ op, inputs, numbers }, { rank, isFixed, whole }) {
  // Hidden states; a number or a vector is the same for each token.
  const isSame = (/** @type {string} */ name) => rank(name) <= 1;
  const [first, second = ''] = inputs;
  const others = PRODUCTS.has(op) ? inputs.filter((name) => name !== second) : inputs;
  if (!others.every((name) => !name || isSame(name) || (!isFixed(name) && rank(name) === RANK))) {
    return false;
  }
  if (PRODUCTS.has(op)) return !isFixed(first) && isFixed(second) && rank(second) === 2;
  if (OVER_AXES.has(op)) {
    const given = numbers.get('axes') ?? numbers.get('axis');
    const inInput = op === 'ReduceMean' && second ? [whole(second) ?? NaN] : undefined;
    const axes = given ?? inInput ?? (op === 'ReduceMean' ? [NaN] : [-1]);
    return axes.length > 0 && axes.every((axis) => axis === -1 || axis === RANK - 1);
  }
  return ELEMENTWISE.has(op) || op === 'DynamicQuantizeLinear' || op === 'SkipLayerNormalization';
}

/**
 * Cut what enters the narrowed operators from outside.
 * @param {Uint8Array} bytes
 * @param {Set<Node>} narrowed
 * @param {Values} values
 */
function edits(bytes, narrowed, { rank, isFixed }) {
  const byStart = new Map([...narrowed].map((node) => [node.field.start, node]));
  const made = new Set([...narrowed].flatMap(({ outputs }) => outputs));
  const enters = (/** @type {string} */ name) =>
    !isFixed(name) && !made.has(name) && rank(name) === RANK;
  const cut = new Set();
  /** @param {Field} part */
  const replace = (part) => {
    if (part.number === GRAPH.valueInfo) return []; // shapes that hold no more
    const node = part.number === GRAPH.node && byStart.get(part.start);
    if (!node) return undefined;
    const renamed = rewrite(bytes, part.body, part.end, (field) => {
      if (field.number !== NODE.input) return undefined;
      const name = textOf(bytes, field);
      return enters(name) ? [text(PREFIX + name)] : undefined;
    });
    const fresh = new Set(node.inputs.filter((name) => enters(name) && !cut.has(name)));
    fresh.forEach((name) => cut.add(name));
    return [...[...fresh].map(cutNode), renamed];
  };
  return { replace, added: [firstIndex()] };
}

/**
 * value[:, [0]], which keeps the axis.
 * @param {string} name
 */
function cutNode(name) {
  const node = empty();
  for (const input of [name, FIRST]) addMessage(node, NODE.input, text(input));
  addMessage(node, NODE.output, text(PREFIX + name));
  addMessage(node, NODE.opType, text('Gather'));
  const axis = empty();
  addMessage(axis, ATTRIBUTE.name, text('axis'));
  addNumber(axis, ATTRIBUTE.i, TOKENS);
  addNumber(axis, ATTRIBUTE.type, INT);
  addMessage(node, NODE.attribute, axis);
  return node;
}

/** The tensor [0]. */
function firstIndex() {
  const tensor = empty();
  addNumber(tensor, TENSOR.dims, 1);
  addNumber(tensor, TENSOR.dataType, INT64);
  addMessage(tensor, TENSOR.name, text(FIRST));
  const zero = empty();
  add(zero, new Uint8Array(8));
  addMessage(tensor, TENSOR.rawData, zero);
  return tensor;
}
