/** @file A peer's module in a module worker: the page's end. worker.js is the other. */

/** @param {string} url of the module */
export function inWorker(url) {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  const call = (name, ...values) =>
    new Promise((resolve, reject) => {
      worker.onerror = (event) => reject(new Error(event.message));
      worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
      worker.postMessage({ url, name, values });
    });
  return {
    load: (options) => call('load', options),
    rerank: (...values) => call('rerank', ...values),
    read: ({ answer }) => answer,
  };
}
