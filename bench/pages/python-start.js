/** @file How long Python with numpy takes to start in a module worker: Pyodide's way, and ours. */

/** As Pyodide's documentation shows it. */
async function plain() {
  const started = performance.now();
  const worker = new Worker(new URL('./plain-python-worker.js', import.meta.url), {
    type: 'module',
  });
  await answer(worker, () => true);
  const ms = performance.now() - started;
  worker.terminate();
  return { ms };
}

/** The worker of dist/ itself; `boot` ends when webrerank, too, is imported. */
async function ours() {
  const { PROTOCOL, RELEASE, VENDOR } = await import('/places.js');
  // As after a first visit to the page: the service worker has kept the snapshot.
  const kept = await caches.open('webrerank-bench');
  const snapshot = `${VENDOR.pyodide}python.snapshot`;
  if (!(await kept.match(snapshot))) await kept.add(snapshot);
  const started = performance.now();
  const worker = new Worker(`${RELEASE}workers/python-worker.js`, { type: 'module' });
  worker.postMessage({ v: PROTOCOL, id: 1, type: 'call', name: 'boot', payload: null });
  await answer(worker, ({ type, value }) => type === 'event' && value === 'python');
  const ms = performance.now() - started;
  await answer(worker, ({ type }) => type === 'done');
  const bootMs = performance.now() - started;
  worker.terminate();
  return { ms, bootMs };
}

/** A start that takes longer failed, ms. */
const LONGEST_MS = 120_000;

/** Wait for a message that matches. */
function answer(worker, matches) {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('no answer within 2 minutes')), LONGEST_MS);
    worker.addEventListener('error', (event) => reject(new Error(event.message)));
    worker.addEventListener('message', ({ data }) => {
      if (data.type === 'failed') reject(new Error(data.error.message));
      if (matches(data)) resolve(data);
    });
  });
}

globalThis.pythonStart = { plain, ours };
