/**
 * @file The little of the ONNX format that loading needs: take a model's weights out of its graph.
 *
 * ONNX Runtime copies a model that comes as one file twice or three times over; with its weights
 * as external data it does not (PLATFORM.md 1.4). So the graph is written anew with each large
 * tensor pointing to its place in the original file: no weight is copied or changed.
 *
 * Source: onnx.proto (ModelProto, GraphProto, TensorProto, StringStringEntryProto).
 */

import { RerankError } from '../errors.js';

/** Field numbers in onnx.proto. */
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR_RAW_DATA = 9;
const TENSOR_EXTERNAL_DATA = 13;
const TENSOR_DATA_LOCATION = 14;
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

/** Smaller tensors stay in the graph, bytes. */
const LEAST_BYTES = 1024;

/** The name under which the original file is handed to ONNX Runtime. */
export const WEIGHTS = 'weights';

/**
 * @typedef {object} SplitModel
 * @property {Uint8Array[]} graph pieces of the new model, to be put together
 * @property {string[]} locations external files that the graph already names
 * @property {boolean} taken whether weights were taken out, and are now looked for in WEIGHTS
 */

/** @typedef {{ number: number, wire: number, start: number, body: number, end: number }} Field */

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
    const graph = rewrite(bytes, 0, bytes.length, MODEL_GRAPH, (field) => {
      graphs++;
      return rewrite(bytes, field.body, field.end, GRAPH_INITIALIZER, (tensor) => {
        const without = splitTensor(bytes, tensor, locations);
        taken ||= without.taken;
        return without;
      });
    });
    if (graphs !== 1) throw new RangeError('no graph');
    return { graph: graph.pieces, locations: [...locations], taken };
  } catch (cause) {
    throw new RerankError(
      'unsupported_model',
      'The model file is no ONNX file, or is damaged. Choose another model.',
      { cause },
    );
  }
}

/** @typedef {{ pieces: Uint8Array[], length: number }} Message */

/**
 * Copy a message, with the fields of one number replaced.
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 * @param {number} number
 * @param {(field: Field) => Message} replace
 * @returns {Message}
 */
function rewrite(bytes, start, end, number, replace) {
  /** @type {Message} */
  const message = { pieces: [], length: 0 };
  let kept = start;
  for (const field of fields(bytes, start, end)) {
    if (field.number !== number || field.wire !== 2) continue;
    add(message, bytes.subarray(kept, field.start));
    addMessage(message, number, replace(field));
    kept = field.end;
  }
  add(message, bytes.subarray(kept, end));
  return message;
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
  const raw = parts.find((part) => part.number === TENSOR_RAW_DATA);
  /** @type {Message} */
  const message = { pieces: [], length: 0 };
  if (!raw || raw.end - raw.body < LEAST_BYTES) {
    add(message, bytes.subarray(tensor.body, tensor.end));
    return { ...message, taken: false };
  }
  add(message, bytes.subarray(tensor.body, raw.start));
  add(message, bytes.subarray(raw.end, tensor.end));
  const place = { location: WEIGHTS, offset: raw.body, length: raw.end - raw.body };
  for (const [key, value] of Object.entries(place)) {
    /** @type {Message} */
    const pair = { pieces: [], length: 0 };
    addMessage(pair, ENTRY_KEY, text(key));
    addMessage(pair, ENTRY_VALUE, text(String(value)));
    addMessage(message, TENSOR_EXTERNAL_DATA, pair);
  }
  add(message, Uint8Array.of(TENSOR_DATA_LOCATION << 3, 1)); // EXTERNAL
  return { ...message, taken: true };
}

/**
 * The fields of a message, checked to lie within it.
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 * @returns {Generator<Field>}
 */
function* fields(bytes, start, end) {
  for (let at = start; at < end;) {
    const tag = varint(bytes, at);
    const wire = tag.value & 7;
    const field = {
      number: Math.floor(tag.value / 8),
      wire,
      start: at,
      body: tag.end,
      end: tag.end,
    };
    if (wire === 0) field.end = varint(bytes, tag.end).end;
    else if (wire === 1) field.end += 8;
    else if (wire === 5) field.end += 4;
    else if (wire === 2) {
      const length = varint(bytes, tag.end);
      field.body = length.end;
      field.end = length.end + length.value;
    } else throw new RangeError(`wire type ${wire}`);
    if (field.end > end || field.number < 1) throw new RangeError('a field leaves its message');
    at = field.end;
    yield field;
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 */
function varint(bytes, at) {
  let value = 0;
  for (let shift = 0; shift < 10; shift++) {
    if (at >= bytes.length) break;
    const byte = bytes[at++];
    value += (byte & 127) * 2 ** (7 * shift); // beyond 2 ** 53 the length check refuses it
    if (byte < 128) return { value, end: at };
  }
  throw new RangeError('a number has no end');
}

/**
 * @param {Uint8Array} bytes
 * @param {Field} field a StringStringEntryProto
 */
function entry(bytes, field) {
  const values = ['', ''];
  for (const { number, body, end } of fields(bytes, field.body, field.end)) {
    if (number <= 2) values[number - 1] = new TextDecoder().decode(bytes.subarray(body, end));
  }
  return values;
}

/**
 * @param {string} value
 * @returns {Message}
 */
function text(value) {
  const piece = new TextEncoder().encode(value);
  return { pieces: [piece], length: piece.length };
}

/**
 * @param {Message} message
 * @param {Uint8Array} piece
 */
function add(message, piece) {
  message.pieces.push(piece);
  message.length += piece.length;
}

/**
 * @param {Message} message
 * @param {number} number
 * @param {Message} child
 */
function addMessage(message, number, child) {
  add(message, Uint8Array.from([...writeVarint(number * 8 + 2), ...writeVarint(child.length)]));
  for (const piece of child.pieces) add(message, piece);
}

/** @param {number} value */
function writeVarint(value) {
  const out = [];
  for (; value > 127; value = Math.floor(value / 128)) out.push((value % 128) | 128);
  out.push(value);
  return out;
}
