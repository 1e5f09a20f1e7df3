/**
 * @file What loading does to an ONNX file: it takes the weights out of the graph, and makes the
 * graph compute no more than the answer needs.
 *
 * ONNX Runtime copies a model that comes as one file twice or three times over; with its weights
 * as external data it does not (docs/platform.md). So the graph is written anew with each large
 * tensor pointing to its place in the original file: no weight is copied or changed.
 *
 * Source: onnx.proto (ModelProto, GraphProto, TensorProto, StringStringEntryProto).
 */

import { RerankError } from '../errors.js';
import { firstTokenOnly, UNCHANGED } from './first-token.js';
import { GRAPH, TENSOR } from './onnx-graph.js';
import {
  add,
  addMessage,
  addNumber,
  empty,
  fields,
  numbers,
  rewrite,
  text,
  textOf,
} from './protobuf.js';

/** Field numbers in onnx.proto. */
const MODEL_GRAPH = 7;
const MODEL_FUNCTIONS = 25;
const TENSOR_EXTERNAL_DATA = 13;
const TENSOR_DATA_LOCATION = 14;
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

/** TensorProto.EXTERNAL */
const EXTERNAL = 1;

/** Smaller tensors stay in the graph, bytes. */
const LEAST_BYTES = 1024;

/** So do whole numbers of 64 bits up to here: positions, which Python reads, not weights. */
const WHOLE_NUMBERS = 7;
const LEAST_BYTES_OF_WHOLE_NUMBERS = 2 ** 20;

/** The name under which the original file is handed to ONNX Runtime. */
export const WEIGHTS = 'weights';

/** @typedef {import('./protobuf.js').Field} Field */
/** @typedef {import('./protobuf.js').Message} Message */

/**
 * @typedef {object} SplitModel
 * @property {Uint8Array[]} graph pieces of the new model, to be put together
 * @property {string[]} locations external files that the graph already names
 * @property {boolean} taken whether weights were taken out, and are now looked for in WEIGHTS
 */

/**
 * Write a model anew without its weights.
 * @param {Uint8Array} bytes of the .onnx file
 * @returns {SplitModel}
 * @throws {RerankError} 'unsupported_model' if it is no ONNX file
 */
export function splitWeights(bytes) {
  try {
    const locations = new Set();
    let taken = false;
    let graphs = 0;
    // A model may define operators of its own, under any name.
    const ownFunctions = [...fields(bytes, 0, bytes.length)].some(
      ({ number }) => number === MODEL_FUNCTIONS,
    );
    const model = rewrite(bytes, 0, bytes.length, (field) => {
      if (field.number !== MODEL_GRAPH || field.wire !== 2) return undefined;
      graphs++;
      const { replace, added } = ownFunctions ? UNCHANGED : firstTokenOnly(bytes, field);
      const graph = rewrite(bytes, field.body, field.end, (part) => {
        if (part.number !== GRAPH.initializer) return replace(part);
        const tensor = splitTensor(bytes, part, locations);
        taken ||= tensor.taken;
        return [tensor];
      });
      for (const tensor of added) addMessage(graph, GRAPH.initializer, tensor);
      return [graph];
    });
    if (graphs !== 1) throw new RangeError('no graph');
    return { graph: model.pieces, locations: [...locations], taken };
  } catch (cause) {
    throw new RerankError(
      'unsupported_model',
      'The model file is no ONNX file, or is damaged. Choose another model.',
      { cause },
    );
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {Field} tensor
 * @param {Set<string>} locations receives the external files the tensor names
 * @returns {Message & { taken: boolean }}
 */
function splitTensor(bytes, tensor, locations) {
  const parts = [...fields(bytes, tensor.body, tensor.end)];
  for (const part of parts) {
    if (part.number !== TENSOR_EXTERNAL_DATA) continue;
    const [key, value] = entry(bytes, part);
    if (key === 'location') locations.add(value);
  }
  const raw = parts.find((part) => part.number === TENSOR.rawData);
  const message = empty();
  const kind = parts.find((part) => part.number === TENSOR.dataType);
  const isWhole = kind && [...numbers(bytes, kind)][0] === WHOLE_NUMBERS;
  const least = isWhole ? LEAST_BYTES_OF_WHOLE_NUMBERS : LEAST_BYTES;
  if (!raw || raw.end - raw.body < least) {
    add(message, bytes.subarray(tensor.body, tensor.end));
    return { ...message, taken: false };
  }
  add(message, bytes.subarray(tensor.body, raw.start));
  add(message, bytes.subarray(raw.end, tensor.end));
  const place = { location: WEIGHTS, offset: raw.body, length: raw.end - raw.body };
  for (const [key, value] of Object.entries(place)) {
    const pair = empty();
    addMessage(pair, ENTRY_KEY, text(key));
    addMessage(pair, ENTRY_VALUE, text(String(value)));
    addMessage(message, TENSOR_EXTERNAL_DATA, pair);
  }
  addNumber(message, TENSOR_DATA_LOCATION, EXTERNAL);
  return { ...message, taken: true };
}

/**
 * @param {Uint8Array} bytes
 * @param {Field} field a StringStringEntryProto
 */
function entry(bytes, field) {
  const values = ['', ''];
  for (const part of fields(bytes, field.body, field.end)) {
    if (part.number <= 2) values[part.number - 1] = textOf(bytes, part);
  }
  return values;
}
