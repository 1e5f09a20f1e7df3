/**
 * @file Two gaps in fetch, closed for all code of a worker, Pyodide's and ONNX Runtime's included.
 *
 * Offline, Firefox does not ask the service worker for what a worker fetches (Bug 2067202), so what
 * the service worker keeps is looked up here when the network fails. And Pyodide waits for ever if
 * its wasm cannot be fetched, so failures are told to whoever wants to know.
 */

const network = self.fetch.bind(self);

/** @type {Set<(url: string) => void>} */
const listeners = new Set();

self.fetch = async (input, init) => {
  const request = new Request(input, init);
  try {
    const response = await network(request);
    if (!response.ok) tell(request.url);
    return response;
  } catch (error) {
    const kept = request.signal.aborted
      ? undefined
      : await findKept(request).catch(() => undefined);
    if (kept) return kept;
    tell(request.url);
    throw error;
  }
};

/** @param {string} url */
function tell(url) {
  for (const listener of listeners) listener(url);
}

/**
 * What webrerank's service worker keeps; other caches of the site are not ours to read.
 * @param {Request} request
 */
export async function findKept(request) {
  if (request.method !== 'GET' || !self.caches) return undefined;
  for (const name of await caches.keys()) {
    if (!name.startsWith('webrerank-')) continue;
    const kept = await (await caches.open(name)).match(request);
    if (kept) return kept;
  }
  return undefined;
}

/**
 * Settle as `work` does, or reject as soon as a file below `folder` cannot be fetched, or after
 * `limitMs`.
 * @template T
 * @param {Promise<T>} work
 * @param {string} folder
 * @param {number} limitMs
 * @returns {Promise<T>}
 */
export async function orFailedFetch(work, folder, limitMs) {
  /** @type {(url: string) => void} */
  let listener = () => {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const failed = new Promise((_, reject) => {
    listener = (url) => {
      if (url.startsWith(folder)) reject(new Error(`${url.slice(folder.length)} is missing`));
    };
    timer = setTimeout(() => reject(new Error(`no end after ${limitMs} ms`)), limitMs);
    listeners.add(listener);
  });
  try {
    return await /** @type {Promise<T>} */ (Promise.race([work, failed]));
  } finally {
    listeners.delete(listener);
    clearTimeout(timer);
  }
}
