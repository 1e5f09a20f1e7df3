/**
 * @file The service worker: the site works without a network once this has been installed.
 *
 * It keeps what files.json lists, checked against its sha256, in one cache per build. Registered
 * as sw.js?build=…, so a worker always knows its own build. Models are not its business: the
 * library keeps them in IndexedDB.
 */

/** @typedef {{ path: string, bytes: number, sha256: string }} SiteFile */
/** @typedef {{ version: string, build: string, files: SiteFile[] }} SiteList */
/** @typedef {{ cache: Cache, path: string }} Older a file that an older build's cache may have */

const sw = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis));

const SCOPE = new URL(sw.registration.scope);
const BUILD = new URL(sw.location.href).searchParams.get('build') ?? '';
const PREFIX = `webrerank-${encodeURIComponent(SCOPE.pathname)}:`; // ':' is in no encoded path
const CACHE = PREFIX + BUILD;
const LIST = 'files.json';

/** A body that stalls must not hold up every later registration. */
const FILE_TIMEOUT_MS = 5 * 60_000;
const FILES_AT_ONCE = 3;

/** Never kept here, or only once asked for: the parts for WebGPU, which not everyone has. */
const NEVER = /^models\/|\.d\.ts$|^(sw\.js|files\.json|LICENSE|THIRD_PARTY_NOTICES\.txt)$/;
const ON_DEMAND = /^vendor\/ort\/\w+\/(.*(asyncify|jspi)|ort\.webgpu)/;

sw.addEventListener('install', (event) => event.waitUntil(install()));
sw.addEventListener('activate', (event) => event.waitUntil(activate()));
sw.addEventListener('message', (event) => {
  if (event.data?.type === 'take-over-if-alone') event.waitUntil(takeOverIfAlone(event.source));
});
sw.addEventListener('fetch', (event) => {
  const path = pathInScope(event.request);
  if (path === null) return;
  // Who asks past all caches wants to know what the server has by now.
  const newest = path === LIST || event.request.cache === 'reload';
  if (newest) event.respondWith(answerNewest(event.request, path));
  else if (!NEVER.test(path)) event.respondWith(answer(event, path));
});

async function install() {
  const list = await newestList();
  if (list.build !== BUILD) throw new Error('files.json is of another build');
  const cache = await caches.open(CACHE);
  const older = await olderFiles();
  const queue = list.files.filter(({ path }) => !NEVER.test(path) && !ON_DEMAND.test(path));
  const lane = async () => {
    for (let file = queue.shift(); file; file = queue.shift()) await keep(cache, file, older);
  };
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, lane));
  await cache.put(urlOf(LIST), new Response(JSON.stringify(list))); // last: it says the rest is here
}

async function activate() {
  const names = await caches.keys(); // oldest first
  const older = names.slice(0, names.indexOf(CACHE)).filter((name) => name.startsWith(PREFIX));
  await Promise.all(older.map((name) => caches.delete(name)));
  await sw.clients.claim();
}

/** @param {Client | ServiceWorker | MessagePort | null} asker */
async function takeOverIfAlone(asker) {
  const pages = await sw.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (pages.length <= 1) await sw.skipWaiting();
  else asker?.postMessage({ type: 'not-alone' });
}

/**
 * From the cache; else from the network, and kept if it is a file of this build.
 *
 * @param {FetchEvent} event
 * @param {string} path
 */
async function answer({ request }, path) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(urlOf(path));
  if (kept) return kept;
  const list = await keptList(cache);
  const file = list?.files.find((file) => file.path === path);
  if (!file) return fetch(request);
  try {
    return await keep(cache, file, new Map());
  } catch {
    return fetch(request); // no room, or a newer build on the server
  }
}

/**
 * The newest there is; without a network, our own.
 *
 * @param {Request} request
 * @param {string} path
 */
async function answerNewest(request, path) {
  return fetch(request).catch(async () => {
    const kept = await (await caches.open(CACHE)).match(urlOf(path));
    return kept ?? Response.error();
  });
}

/**
 * Put a file into the cache: from an older build's if it is the same, else from the network.
 *
 * @param {Cache} cache
 * @param {SiteFile} file
 * @param {Map<string, Older>} older
 * @returns {Promise<Response>}
 */
async function keep(cache, { path, sha256 }, older) {
  const url = urlOf(path);
  const kept = await cache.match(url); // an install that was broken off goes on where it was
  if (kept) return kept;
  const response = (await fromOlder(older.get(sha256), path)) ?? (await load(url, sha256));
  await cache.put(url, response.clone());
  return response;
}

/**
 * @param {Older | undefined} older
 * @param {string} path
 */
async function fromOlder(older, path) {
  const response = await older?.cache.match(urlOf(older.path));
  // A script resolves its imports from the address of its answer, so that must be the new one.
  return response && older?.path !== path ? withoutAddress(response) : response;
}

/** @param {Response} response */
const withoutAddress = async (response) => new Response(await response.blob(), response);

/**
 * @param {string} url
 * @param {string} sha256 in hex
 */
async function load(url, sha256) {
  const integrity = `sha256-${base64(sha256)}`;
  /** @param {RequestCache} cache */
  const get = (cache) =>
    fetch(url, { integrity, cache, signal: AbortSignal.timeout(FILE_TIMEOUT_MS) });
  // The page has just loaded most of it, so the browser's own cache comes first.
  const response = await get('default').catch(() => get('reload'));
  if (!response.ok) throw new Error(`${response.status} for ${url}`);
  // A redirected response may not answer a navigation.
  return response.redirected ? withoutAddress(response) : response;
}

/** @returns {Promise<SiteList>} */
async function newestList() {
  const response = await fetch(urlOf(LIST), { cache: 'no-store' });
  if (!response.ok) throw new Error(`${response.status} for ${LIST}`);
  return response.json();
}

/**
 * @param {Cache} cache
 * @returns {Promise<SiteList | undefined>}
 */
async function keptList(cache) {
  return (await cache.match(urlOf(LIST)))?.json();
}

/** @returns {Promise<Map<string, Older>>} by sha256, where older caches of ours have it */
async function olderFiles() {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  const found = new Map();
  for (const name of names) {
    const cache = await caches.open(name);
    for (const { sha256, path } of (await keptList(cache))?.files ?? []) {
      found.set(sha256, { cache, path });
    }
  }
  return found;
}

/**
 * @param {Request} request
 * @returns {string | null} the path within the site; null for what is not ours to answer
 */
function pathInScope(request) {
  const url = new URL(request.url);
  const ours = url.origin === SCOPE.origin && url.pathname.startsWith(SCOPE.pathname);
  if (!ours || request.method !== 'GET') return null;
  if (request.cache === 'only-if-cached' && request.mode !== 'same-origin') return null;
  return decodeURIComponent(url.pathname.slice(SCOPE.pathname.length)) || 'index.html';
}

/** @param {string} path */
function urlOf(path) {
  return new URL(path, SCOPE).href;
}

/** @param {string} hex */
function base64(hex) {
  const bytes = hex.match(/../g) ?? [];
  return btoa(String.fromCharCode(...bytes.map((byte) => parseInt(byte, 16))));
}
