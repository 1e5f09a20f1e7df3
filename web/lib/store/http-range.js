/**
 * @file A file in parts over HTTP: what to ask for, what the answer means, and its chunks.
 */

import { RerankError } from '../errors.js';
import { CHUNK_BYTES } from './database.js';
import { integrity, Missing } from './download-errors.js';
import { Retry } from './retry.js';

/** @typedef {import('./sources.js').FileSpec} FileSpec */
/** @typedef {import('./database.js').Manifest} Manifest */

/**
 * @param {number} from
 * @param {FileSpec} spec
 * @param {Manifest} manifest
 * @returns {Record<string, string>}
 */
export function rangeHeaders(from, spec, manifest) {
  if (!from) return {};
  const range = { Range: `bytes=${from}-` };
  // With a known hash the parts cannot be mixed up, and If-Range would cost a CORS preflight.
  return spec.sha256 || !manifest.etag ? range : { ...range, 'If-Range': manifest.etag };
}

/**
 * @param {Response} response
 * @param {FileSpec} spec
 * @returns {ReadableStream<Uint8Array>}
 */
export function checkResponse(response, spec) {
  const { status } = response;
  if (!response.ok || !response.body) {
    const retry = status >= 500 || status === 429 || status === 408;
    const cause = retry ? new Retry() : [404, 410].includes(status) ? new Missing() : undefined;
    throw new RerankError(
      'model_load',
      `The model's host answered ${status} for ${spec.path}. ` +
        (retry ? 'Try again later.' : 'Check the model name and that the model is public.'),
      { cause },
    );
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
 * @param {Manifest} manifest
 */
export function continues(response, from, manifest) {
  if (response.status !== 206) return false;
  const range = response.headers.get('content-range');
  const etag = response.headers.get('etag');
  // Another host may hide these headers; the hash of the whole decides then.
  const [start, total] = [`bytes ${from}-`, `/${manifest.bytes || ''}`];
  const rangeFits =
    range === null || (range.startsWith(start) && (range.endsWith(total) || range.endsWith('/*')));
  return rangeFits && (etag === null || manifest.etag === null || etag === manifest.etag);
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
 * How long the file says it is; 0 if it does not.
 * @param {Response} response
 * @param {number} offset where the answer begins
 */
export function announcedBytes(response, offset) {
  const length = Number(response.headers.get('content-length')) || 0;
  // A compressed answer tells its length on the wire, not that of the file.
  const plain = !response.headers.get('content-encoding');
  return plain && length ? offset + length : 0;
}
