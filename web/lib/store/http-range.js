/**
 * @file A file in parts over HTTP: what to ask for, what the answer means, and its chunks.
 */

import { integrity, Missing } from './download-errors.js';
import { badAnswer, isPassing } from './host-errors.js';
import { CHUNK_BYTES } from './records.js';
import { retryOf } from './retry.js';
import { compare, validatorOf } from './validators.js';

/** @typedef {import('./sources.js').FileSpec} FileSpec */
/** @typedef {import('./files.js').Partial} Partial */

/**
 * What to ask for. Parts can be put together only if something tells that they are of one file: a
 * hash of the whole, or a validator. If-Range would say it to the host, but needs a CORS preflight.
 * @param {number} from
 * @param {FileSpec} spec
 * @param {Partial} partial
 * @returns {Record<string, string>}
 */
export function rangeHeaders(from, spec, { validator }) {
  const tells = spec.sha256 ?? validator?.etag ?? validator?.date;
  return from && tells ? { Range: `bytes=${from}-` } : {};
}

/**
 * @param {Response} response
 * @param {FileSpec} spec
 * @returns {ReadableStream<Uint8Array>}
 */
export function checkResponse(response, spec) {
  const { status } = response;
  if (!response.ok || !response.body) {
    const missing = [404, 410].includes(status) ? new Missing() : undefined;
    const cause = isPassing(status) ? retryOf(response) : missing;
    throw badAnswer(`The model's ${spec.path}`, status, cause);
  }
  if (response.headers.get('content-type')?.startsWith('text/html')) {
    throw integrity(spec, 'is a web page, not the file');
  }
  return response.body;
}

/**
 * Whether an answer really continues what is here; a 200 starts over.
 * @param {Response} response
 * @param {number} from
 * @param {FileSpec} spec
 * @param {Partial} partial
 */
export function continues(response, from, spec, partial) {
  if (response.status !== 206) return false;
  const [range, length] = ['content-range', 'content-length'].map((name) =>
    response.headers.get(name),
  );
  if (range !== null && !range.startsWith(`bytes ${from}-`)) return false;
  if (partial.bytes && length !== null && from + Number(length) !== partial.bytes) return false;
  const version = compare(validatorOf(response), partial.validator);
  // Another host may hide all of these; a hash of the whole decides then, or nothing does.
  return version === 'same' || (version === 'unknown' && Boolean(spec.sha256));
}

/**
 * Cut a stream into chunks of CHUNK_BYTES; the last may be shorter.
 * @param {ReadableStream<Uint8Array>} body
 * @param {AbortSignal} signal
 * @param {(bytes: number) => void} onBytes
 * @returns {AsyncGenerator<ArrayBuffer>}
 */
export async function* chunksOf(body, signal, onBytes) {
  const reader = body.getReader();
  let buffer = new Uint8Array(CHUNK_BYTES);
  let filled = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) break;
      for (let start = 0; start < value.length;) {
        const part = value.subarray(start, start + CHUNK_BYTES - filled);
        buffer.set(part, filled);
        filled += part.length;
        start += part.length;
        if (filled === CHUNK_BYTES) {
          yield buffer.buffer;
          buffer = new Uint8Array(CHUNK_BYTES);
          filled = 0;
        }
      }
      onBytes(value.length);
    }
    if (filled) yield buffer.buffer.slice(0, filled);
  } finally {
    reader.cancel().catch(() => {}); // it may be broken already
  }
}

/**
 * How long the file is by what the host says; 0 if that cannot be told. A compressed answer tells
 * its length on the wire, and another host does not show that it is compressed.
 * @param {Response} response
 * @param {number} offset where the answer begins
 */
export function announcedBytes(response, offset) {
  const { headers, status, type } = response;
  const plain = status === 206 || (type === 'basic' && !headers.get('content-encoding'));
  return plain ? lengthOnTheWire(response, offset) : 0;
}

/**
 * The same if nothing is compressed: for progress only.
 * @param {Response} response
 * @param {number} offset
 */
export function lengthOnTheWire({ headers }, offset) {
  const length = Number(headers.get('content-length')) || 0;
  return length && offset + length;
}
