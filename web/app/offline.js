/**
 * @file Keeps the site on this device through the service worker, sw.js. Without one (plain http,
 * private windows) the page works all the same, so whatever fails here fails in silence.
 */

/**
 * @typedef {object} Listener
 * @property {() => void} siteIsKept
 * @property {(onUpdate: () => void) => void} updateIsReady
 * @property {() => void} otherTabsAreOpen
 */

/** @param {Listener} listener */
export async function keepOffline(listener) {
  const workers = navigator.serviceWorker;
  if (!workers) return;
  try {
    const registration = await register(workers);
    if (!registration) return;
    watchForUpdate(workers, registration, listener);
    await workers.ready;
    listener.siteIsKept();
  } catch {
    // Not kept. The next visit tries again.
  }
}

/**
 * The build is part of the worker's address: a new build is a new address, so it is found even
 * though sw.js itself is the same file.
 *
 * @param {ServiceWorkerContainer} workers
 */
async function register(workers) {
  const build = await newestBuild();
  if (build === null) return workers.getRegistration();
  const address = trusted(`sw.js?build=${encodeURIComponent(build)}`);
  return workers.register(address, { updateViaCache: 'none' });
}

/**
 * Trusted Types (see the policy in index.html): only our own service worker may be registered.
 *
 * @param {string} address
 */
function trusted(address) {
  /** @type {any} */
  const { trustedTypes } = globalThis;
  const policy = trustedTypes?.createPolicy('webrerank-page', {
    createScriptURL(/** @type {string} */ url) {
      if (url.startsWith('sw.js?build=')) return url;
      throw new TypeError('This is not the service worker of this page.');
    },
  });
  return policy ? policy.createScriptURL(address) : address;
}

/** @returns {Promise<string | null>} null without a network */
async function newestBuild() {
  try {
    const response = await fetch('files.json', { cache: 'no-store' });
    return response.ok ? String((await response.json()).build) : null;
  } catch {
    return null;
  }
}

/**
 * A new worker waits until no page runs the old build. The click asks it whether this is the only
 * page, so that it may take over at once.
 *
 * @param {ServiceWorkerContainer} workers
 * @param {ServiceWorkerRegistration} registration
 * @param {Listener} listener
 */
function watchForUpdate(workers, registration, listener) {
  const tell = () => {
    const { waiting } = registration;
    if (!waiting || !registration.active) return;
    listener.updateIsReady(() => {
      workers.addEventListener('controllerchange', () => location.reload(), { once: true });
      waiting.postMessage({ type: 'take-over-if-alone' });
    });
  };
  registration.addEventListener('updatefound', () => {
    registration.installing?.addEventListener('statechange', tell);
  });
  registration.installing?.addEventListener('statechange', tell);
  workers.addEventListener('message', ({ data }) => {
    if (data?.type === 'not-alone') listener.otherTabsAreOpen();
  });
  workers.startMessages();
  tell();
}
