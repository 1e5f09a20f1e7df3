/**
 * @file Gaps in how workers load files, closed for all code of a worker, Pyodide's and ONNX
 * Runtime's included.
 *
 * - Offline, Firefox does not ask the service worker for what a worker fetches (Bug 2067202), so
 *   what the service worker keeps is looked up here when the network fails.
 * - Browsers compile a .wasm file while it arrives only if the host gives it the right type.
 * - Pyodide waits for ever if its wasm cannot be fetched or compiled, so whoever loads something is
 *   told what failed, and what still has not come when nothing comes any more.
 */

import { PATIENCE_MS, SilenceClock, withinTime } from '../lib/patience.js';
import { withPieces } from './pieces.js';

const network = self.fetch.bind(self);

/** A file that did not come, or not whole. */
export class FilesMissing extends Error {}

/** @typedef {(url: string, failure?: unknown) => void} Listener told of what begins to arrive, or fails */

/** @type {Set<Listener>} */
const listeners = new Set();

/** @type {Set<string>} what was asked for; the browser's own list has what came to its end */
const asked = new Set();

self.fetch = withPieces(async (request) => {
  asked.add(request.url);
  try {
    const response = await network(request);
    tell(request.url, response.ok ? undefined : `the host answered ${response.status}`);
    return response;
  } catch (error) {
    const kept = request.signal.aborted
      ? undefined
      : await findKept(request).catch(() => undefined);
    if (kept) return kept;
    tell(request.url, error);
    throw error;
  }
});

/** @type {Listener} */
function tell(url, failure) {
  for (const listener of listeners) listener(url, failure);
}

// Without WebAssembly nothing runs; lib/policy.js says so.
const compileStream = globalThis.WebAssembly?.instantiateStreaming;
if (globalThis.WebAssembly) Object.assign(WebAssembly, { instantiateStreaming });

/**
 * As the platform's, but also for a host that sends .wasm with a wrong type; and what cannot be
 * compiled while it arrives, whyever, is asked for again and compiled from memory.
 * @param {Response | PromiseLike<Response>} source
 * @param {WebAssembly.Imports} [imports]
 */
async function instantiateStreaming(source, imports) {
  const response = await source;
  try {
    return await compileStream.call(WebAssembly, asWasm(response), imports);
  } catch (error) {
    return await instantiateWhole(response.url, imports).catch(() => {
      tell(response.url, error);
      throw error;
    });
  }
}

/**
 * @param {string} url
 * @param {WebAssembly.Imports} [imports]
 */
async function instantiateWhole(url, imports) {
  const response = await self.fetch(url, { cache: 'reload' });
  return WebAssembly.instantiate(await response.arrayBuffer(), imports);
}

/** @param {Response} response left as it is if its type is right: the browser may know its code */
function asWasm(response) {
  const [type] = (response.headers.get('content-type') ?? '').split(';');
  if (!response.ok || type.trim().toLowerCase() === 'application/wasm') return response;
  return new Response(response.body, { headers: { 'content-type': 'application/wasm' } });
}

/**
 * What webrerank's service worker keeps; other caches of the site are not ours to read.
 * @param {Request} request
 */
export function findKept(request) {
  if (request.method !== 'GET' || !self.caches) return Promise.resolve(undefined);
  const late = () => new Error('The storage of the browser does not answer.');
  return withinTime(lookUp(request), PATIENCE_MS.storage, late);
}

/** @param {Request} request */
async function lookUp(request) {
  for (const name of await caches.keys()) {
    if (!name.startsWith('webrerank-')) continue;
    const kept = await (await caches.open(name)).match(request);
    if (kept) return kept;
  }
  return undefined;
}

/**
 * Settle as `work` does, or reject as soon as a file below `folder` cannot be had, or once no file
 * has come for too long.
 * @template T
 * @param {Promise<T>} work
 * @param {string} folder
 * @param {(name: string) => void} [onFile] told of each file that begins to arrive
 * @returns {Promise<T>}
 */
export async function whileFilesCome(work, folder, onFile) {
  /** @type {(error: Error) => void} */
  let giveUp = () => {};
  /** @type {Promise<never>} */
  const givenUp = new Promise((_, reject) => (giveUp = reject));
  const stalled = () =>
    new FilesMissing(`no file has come for too long; missing: ${missing(folder)}`);
  const clock = new SilenceClock(() => giveUp(stalled()));
  /** @type {Listener} */
  const listener = (url, failure) => {
    if (!url.startsWith(folder)) return;
    const name = nameOf(url);
    if (failure !== undefined)
      return giveUp(new FilesMissing(`${name} could not be had: ${failure}`));
    clock.start(PATIENCE_MS.file);
    onFile?.(name);
  };
  clock.start(PATIENCE_MS.file);
  listeners.add(listener);
  try {
    return await Promise.race([work, givenUp]);
  } finally {
    listeners.delete(listener);
    clock.stop();
  }
}

/**
 * What was asked for and has not come to its end; scripts are fetched by the browser itself, so of
 * them only the others can be ruled out.
 * @param {string} folder
 */
function missing(folder) {
  const ended = new Set(performance.getEntriesByType('resource').map(({ name }) => name));
  const names = [...asked].filter((url) => url.startsWith(folder) && !ended.has(url));
  return names.map(nameOf).join(', ') || 'a script';
}

/** @param {string} url */
const nameOf = (url) => url.slice(url.lastIndexOf('/') + 1);
