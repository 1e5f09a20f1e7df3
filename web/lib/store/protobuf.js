/**
 * @file Just enough of protobuf's wire format to read a message in place and to write it anew
 * with some of its fields replaced, without copying the others.
 *
 * Source: protobuf.dev, "Encoding".
 */

/** A message in the making: pieces to be put together, most of them views of the original.
 * @typedef {{ pieces: Uint8Array[], length: number }} Message */

/**
 * @typedef {object} Field
 * @property {number} number
 * @property {number} wire 0: a number, 2: bytes, text or a message
 * @property {number} start where its tag begins
 * @property {number} body where its content begins
 * @property {number} end
 */

/**
 * The fields of a message, checked to lie within it.
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 * @returns {Generator<Field>}
 * @throws {RangeError} if this is no message
 */
export function* fields(bytes, start, end) {
  for (let at = start; at < end;) {
    const tag = varint(bytes, at);
    const wire = tag.value & 7;
    const number = Math.floor(tag.value / 8);
    const field = { number, wire, start: at, body: tag.end, end: tag.end };
    if (wire === 0) field.end = varint(bytes, tag.end).end;
    else if (wire === 1) field.end += 8;
    else if (wire === 5) field.end += 4;
    else if (wire === 2) {
      const length = varint(bytes, tag.end);
      field.body = length.end;
      field.end = length.end + length.value;
    } else throw new RangeError(`wire type ${wire}`);
    if (field.end > end || number < 1) throw new RangeError('a field leaves its message');
    at = field.end;
    yield field;
  }
}

/**
 * The whole numbers of a field, which has one or, packed, many. Negative ones are written as their
 * two's complement of 64 bits.
 * @param {Uint8Array} bytes
 * @param {Field} field
 */
export function* numbers(bytes, field) {
  for (let at = field.body; at < field.end;) {
    const { end } = varint(bytes, at);
    let value = 0n;
    for (let place = end; place-- > at;) value = (value << 7n) | BigInt(bytes[place] & 127);
    yield Number(BigInt.asIntN(64, value));
    at = end;
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {Field} field
 */
export const textOf = (bytes, { body, end }) => new TextDecoder().decode(bytes.subarray(body, end));

/**
 * Copy a message, with each field that `replace` knows put anew.
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 * @param {(field: Field) => Message[] | undefined} replace what to put in place of a field, none or
 *   several, each with the field's number; undefined keeps it
 * @returns {Message}
 */
export function rewrite(bytes, start, end, replace) {
  const message = empty();
  let kept = start;
  for (const field of fields(bytes, start, end)) {
    const instead = replace(field);
    if (!instead) continue;
    add(message, bytes.subarray(kept, field.start));
    for (const child of instead) addMessage(message, field.number, child);
    kept = field.end;
  }
  add(message, bytes.subarray(kept, end));
  return message;
}

/** @returns {Message} */
export const empty = () => ({ pieces: [], length: 0 });

/**
 * @param {string} value
 * @returns {Message}
 */
export function text(value) {
  const piece = new TextEncoder().encode(value);
  return { pieces: [piece], length: piece.length };
}

/**
 * @param {Message} message
 * @param {Uint8Array} piece
 */
export function add(message, piece) {
  message.pieces.push(piece);
  message.length += piece.length;
}

/**
 * @param {Message} message
 * @param {number} number
 * @param {number} value
 */
export function addNumber(message, number, value) {
  add(message, Uint8Array.from([...writeVarint(number * 8), ...writeVarint(value)]));
}

/**
 * @param {Message} message
 * @param {number} number
 * @param {Message} child
 */
export function addMessage(message, number, child) {
  add(message, Uint8Array.from([...writeVarint(number * 8 + 2), ...writeVarint(child.length)]));
  for (const piece of child.pieces) add(message, piece);
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

/** @param {number} value */
function writeVarint(value) {
  const out = [];
  for (; value > 127; value = Math.floor(value / 128)) out.push((value % 128) | 128);
  out.push(value);
  return out;
}
