/**
 * @file The one place where an address becomes code: under Trusted Types (policy 'webrerank') only
 * our own workers may be started. Without them this is the address as it is.
 */

const WORKERS = new URL('../workers/', import.meta.url).href;

/** @type {{ createScriptURL(url: string): any } | undefined} */
const policy = createPolicy();

function createPolicy() {
  try {
    return /** @type {any} */ (globalThis).trustedTypes?.createPolicy('webrerank', {
      createScriptURL(/** @type {string} */ url) {
        if (url.startsWith(WORKERS)) return url;
        throw new TypeError('This is no worker of webrerank.');
      },
    });
  } catch {
    return undefined; // the site allows no policy of this name: it may not need one
  }
}

/**
 * The address of one of our workers.
 * @param {string} name
 * @returns {string | URL}
 */
export function workerUrl(name) {
  const { href } = new URL(`${name}.js`, WORKERS);
  return policy ? policy.createScriptURL(href) : href;
}
