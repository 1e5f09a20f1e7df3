/**
 * @file Files that the build has published in pieces, for hosts that limit the size of a file
 * (tools/pieces.py): a fetch that answers with the whole, or with all from a byte on.
 *
 * Must: no byte of a piece is passed on before all of it was checked against its sha256.
 */

import { RerankError } from '../lib/errors.js';
import { PIECES, SITE } from '../lib/site.js';

/** @typedef {import('../lib/site.js').Piece} Piece */

const BY_URL = new Map(
  Object.entries(PIECES).map(([path, pieces]) => [new URL(path, SITE).href, pieces]),
);

/** How many pieces are kept ready for a reader that is slower than the line. */
const PIECES_AHEAD = 2;

/**
 * @template {Response | undefined} T
 * @param {(request: Request) => Promise<T>} get of single files; undefined if there is none
 * @returns {(input: RequestInfo | URL, init?: RequestInit) => Promise<T | Response>}
 */
export function withPieces(get) {
  return async (input, init) => {
    const request = new Request(input, init);
    const pieces = BY_URL.get(request.url);
    return pieces ? answer(request, pieces, get) : get(request);
  };
}

/**
 * @template {Response | undefined} T
 * @param {Request} request
 * @param {readonly Piece[]} pieces
 * @param {(request: Request) => Promise<T>} get
 * @returns {Promise<T | Response>}
 */
async function answer(request, pieces, get) {
  const total = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.get('range') ?? '')?.[1] ?? 0);
  const headers = {
    'Content-Type': request.url.endsWith('.wasm') ? 'application/wasm' : 'application/octet-stream',
    'Content-Length': String(total - from),
    // Their names say what they hold.
    ETag: JSON.stringify(pieces.map(({ sha256 }) => sha256.slice(0, 12)).join('')),
  };
  const asWhole = (/** @type {BodyInit | null} */ body, /** @type {ResponseInit} */ init) =>
    Object.defineProperty(new Response(body, init), 'url', { value: request.url });
  if (request.method === 'HEAD') return asWhole(null, { headers });
  if (from >= total) return new Response(null, { status: 416 });
  const { left, skip } = startAt(pieces, from);
  const stop = new AbortController();
  const signal = AbortSignal.any([request.signal, stop.signal]);
  const first = await getPiece(left[0], get, signal);
  if (!first?.ok) return first;
  const body = streamOf(left, skip, first, (piece) => getPiece(piece, get, signal), stop);
  if (!from) return asWhole(body, { headers });
  const range = { 'Content-Range': `bytes ${from}-${total - 1}/${total}` };
  return asWhole(body, { status: 206, headers: { ...headers, ...range } });
}

/**
 * Where to begin.
 * @param {readonly Piece[]} pieces
 * @param {number} from
 * @returns {{ left: Piece[], skip: number }} the pieces from there on, and what to leave out of the
 *   first, bytes
 */
function startAt(pieces, from) {
  let skip = from;
  let index = 0;
  while (skip >= pieces[index].bytes) skip -= pieces[index++].bytes;
  return { left: pieces.slice(index), skip };
}

/**
 * @param {Piece[]} pieces
 * @param {number} skip
 * @param {Response} first the answer for the first piece
 * @param {(piece: Piece) => Promise<Response | undefined>} fetchPiece
 * @param {AbortController} stop
 */
function streamOf(pieces, skip, first, fetchPiece, stop) {
  let index = 0;
  return new ReadableStream(
    {
      async pull(controller) {
        const piece = pieces[index];
        const response = index ? await fetchPiece(piece) : first;
        const bytes = response?.ok ? new Uint8Array(await response.arrayBuffer()) : null;
        if (bytes?.length !== piece.bytes) throw missing(piece);
        controller.enqueue(index ? bytes : bytes.subarray(skip));
        if (++index === pieces.length) controller.close();
      },
      cancel: (reason) => stop.abort(reason),
    },
    { highWaterMark: PIECES_AHEAD },
  );
}

/**
 * One piece, checked by the browser; a second time past the browser's cache, which may hold a
 * damaged one.
 * @template {Response | undefined} T
 * @param {Piece} piece
 * @param {(request: Request) => Promise<T>} get
 * @param {AbortSignal} signal
 */
async function getPiece({ path, sha256 }, get, signal) {
  const integrity = `sha256-${base64(sha256)}`;
  /** @param {RequestCache} cache */
  const attempt = (cache) => get(new Request(new URL(path, SITE), { integrity, cache, signal }));
  try {
    return await attempt('default');
  } catch (error) {
    if (signal.aborted) throw error;
    return attempt('reload');
  }
}

/** @param {Piece} piece */
function missing({ path }) {
  return new RerankError(
    'runtime_load',
    `The site has no usable ${path}, a piece of a larger file. Reload the page; if that does not ` +
      'help, copy the whole dist/ folder to the site once more.',
  );
}

/** @param {string} hex */
function base64(hex) {
  const bytes = hex.match(/../g) ?? [];
  return btoa(String.fromCharCode(...bytes.map((byte) => parseInt(byte, 16))));
}
