/**
 * @file A graph of the ONNX format, read: its operators, constants, inputs and outputs. Weights are
 * not touched.
 *
 * Source: onnx.proto (GraphProto, NodeProto, AttributeProto, TensorProto, ValueInfoProto).
 */

import { fields, numbers, textOf } from './protobuf.js';

/** Field numbers in onnx.proto. */
export const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, valueInfo: 13 };
export const NODE = { input: 1, output: 2, opType: 4, attribute: 5, domain: 7 };
export const TENSOR = { dims: 1, dataType: 2, int64Data: 7, name: 8, rawData: 9 };
export const ATTRIBUTE = { name: 1, i: 3, t: 5, g: 6, ints: 8, graphs: 11, type: 20 };

/** AttributeProto.INT */
export const INT = 2;

/** Whose operators are known: ONNX and ONNX Runtime. */
const DOMAINS = ['', 'ai.onnx', 'com.microsoft'];

/** @typedef {import('./protobuf.js').Field} Field */

/**
 * @typedef {object} Node
 * @property {Field} field
 * @property {string} op '' if it is none of ONNX's or ONNX Runtime's own
 * @property {string[]} inputs '' where an optional one is left out
 * @property {string[]} outputs
 * @property {Map<string, number[]>} numbers its attributes that are whole numbers
 * @property {Tensor | null} tensor its attribute that is a tensor
 * @property {boolean} holdsGraph whether it is a loop or a branch
 */

/** @typedef {{ name: string, dims: number[], whole: number | null }} Tensor whole: its value, if one */

/**
 * @typedef {object} Graph
 * @property {Node[]} nodes in the order they run
 * @property {Map<string, Tensor>} constants initializers and the values of Constant operators
 * @property {Map<string, number>} inputs how many axes each input has; NaN if it does not say
 * @property {Set<string>} outputs
 */

/**
 * @param {Uint8Array} bytes
 * @param {Field} graph
 * @returns {Graph}
 */
export function readGraph(bytes, graph) {
  /** @type {Graph} */
  const read = { nodes: [], constants: new Map(), inputs: new Map(), outputs: new Set() };
  for (const field of fields(bytes, graph.body, graph.end)) {
    if (field.number === GRAPH.node) {
      const node = readNode(bytes, field);
      read.nodes.push(node);
      if (node.op === 'Constant' && node.tensor) read.constants.set(node.outputs[0], node.tensor);
    } else if (field.number === GRAPH.initializer) {
      const tensor = readTensor(bytes, field);
      read.constants.set(tensor.name, tensor);
    } else if (field.number === GRAPH.input) {
      const [name, rank] = readValueInfo(bytes, field);
      read.inputs.set(name, rank);
    } else if (field.number === GRAPH.output) {
      read.outputs.add(readValueInfo(bytes, field)[0]);
    }
  }
  return read;
}

/**
 * @param {Uint8Array} bytes
 * @param {Field} field
 * @returns {Node}
 */
function readNode(bytes, field) {
  /** @type {Node} */
  const node = {
    ...{ field, op: '', inputs: [], outputs: [] },
    ...{ numbers: new Map(), tensor: null, holdsGraph: false },
  };
  let isKnown = true;
  for (const part of fields(bytes, field.body, field.end)) {
    if (part.number === NODE.input) node.inputs.push(textOf(bytes, part));
    else if (part.number === NODE.output) node.outputs.push(textOf(bytes, part));
    else if (part.number === NODE.opType) node.op = textOf(bytes, part);
    else if (part.number === NODE.attribute) readAttribute(bytes, part, node);
    else if (part.number === NODE.domain) isKnown = DOMAINS.includes(textOf(bytes, part));
  }
  if (!isKnown) node.op = '';
  return node;
}

/**
 * @param {Uint8Array} bytes
 * @param {Field} field
 * @param {Node} node receives it
 */
function readAttribute(bytes, field, node) {
  let name = '';
  let type = 0;
  const values = [];
  for (const part of fields(bytes, field.body, field.end)) {
    if (part.number === ATTRIBUTE.name) name = textOf(bytes, part);
    else if (part.number === ATTRIBUTE.type) [type] = numbers(bytes, part);
    else if (part.number === ATTRIBUTE.i || part.number === ATTRIBUTE.ints) {
      values.push(...numbers(bytes, part));
    } else if (part.number === ATTRIBUTE.t) node.tensor = readTensor(bytes, part);
    else if (part.number === ATTRIBUTE.g || part.number === ATTRIBUTE.graphs) {
      node.holdsGraph = true;
    }
  }
  if (type === INT && !values.length) values.push(0); // a zero may be left out
  node.numbers.set(name, values);
}

/**
 * @param {Uint8Array} bytes
 * @param {Field} field
 * @returns {Tensor}
 */
function readTensor(bytes, field) {
  /** @type {Tensor} */
  const tensor = { name: '', dims: [], whole: null };
  for (const part of fields(bytes, field.body, field.end)) {
    if (part.number === TENSOR.name) tensor.name = textOf(bytes, part);
    else if (part.number === TENSOR.dims) tensor.dims.push(...numbers(bytes, part));
    else if (part.number === TENSOR.int64Data) {
      for (const value of numbers(bytes, part)) tensor.whole = value;
    } else if (part.number === TENSOR.rawData && part.end - part.body === 8) {
      const view = new DataView(bytes.buffer, bytes.byteOffset + part.body, 8);
      tensor.whole = Number(view.getBigInt64(0, true));
    }
  }
  if (tensor.dims.some((dim) => dim !== 1)) tensor.whole = null;
  return tensor;
}

/**
 * @param {Uint8Array} bytes
 * @param {Field} field
 * @returns {[string, number]} its name, and how many axes it has
 */
function readValueInfo(bytes, field) {
  const [NAME, TYPE, TENSOR_TYPE, SHAPE, DIM] = [1, 2, 1, 2, 1];
  let name = '';
  let rank = NaN;
  for (const part of fields(bytes, field.body, field.end)) {
    if (part.number === NAME) name = textOf(bytes, part);
    if (part.number !== TYPE) continue;
    for (const tensor of inside(bytes, part, TENSOR_TYPE)) {
      for (const shape of inside(bytes, tensor, SHAPE)) {
        rank = [...inside(bytes, shape, DIM)].length;
      }
    }
  }
  return [name, rank];
}

/**
 * @param {Uint8Array} bytes
 * @param {Field} message
 * @param {number} number
 */
function* inside(bytes, message, number) {
  for (const field of fields(bytes, message.body, message.end)) {
    if (field.number === number && field.wire === 2) yield field;
  }
}
