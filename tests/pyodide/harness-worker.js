/**
 * @file A module worker that boots Pyodide from dist/, without its snapshot, and gives the tests in it
 * what the product's own worker has: the tokenizer and session workers. Served beside dist/.
 */

const DIST = new URL('../../dist/', import.meta.url).href;
const MODEL = `${DIST}models/ms-marco-MiniLM-L-12-v2/`;

let release;
let pyodide;
let model;

function modelFile() {
  model ??= fetch(`${MODEL}onnx/model_quantized.onnx`).then((response) => response.blob());
  return model;
}

/** What the tests need of the release in dist/, whose folder has an id in its name. */
async function loadRelease() {
  const entry = await (await fetch(`${DIST}webrerank.js`)).text();
  const folder = DIST + /release\/\w+\//.exec(entry)[0];
  const names = ['lib/site', 'lib/version', 'lib/worker-client', 'workers/session-port'];
  const modules = [...names, 'workers/tokenizer'].map((name) => import(`${folder}${name}.js`));
  return Object.assign({ folder }, ...(await Promise.all(modules)));
}

/** What Python reaches as `js.harness`. */
globalThis.harness = {
  loadTokenizer: (json) => release.loadTokenizer(json),
  inTime: (...given) => release.replacedInTime(...given),

  /** @param {string} name a file of the bundled model */
  modelText: async (name) => (await fetch(MODEL + name)).text(),

  modelGraph: async () => new Uint8Array(await (await modelFile()).arrayBuffer()),

  /** Start a session worker of its own; gives a SessionPort. */
  async openSession() {
    const url = `${release.folder}workers/session-worker.js`;
    const client = new release.WorkerClient(url, 'session');
    await client.call('boot', { device: 'wasm' });
    const { port1, port2 } = new MessageChannel();
    await client.call(
      'load',
      { graph: await modelFile(), externalData: [], port: port1 },
      { transfer: [port1] },
    );
    return new release.SessionPort(port2);
  },
};

const actions = {
  async boot() {
    release = await loadRelease();
    const folder = release.VENDOR.pyodide;
    const { loadPyodide } = await import(`${folder}pyodide.mjs`);
    pyodide = await loadPyodide({
      indexURL: folder,
      lockFileURL: `${folder}pyodide-lock.json`,
      packageBaseUrl: folder,
      packages: ['numpy', 'micropip'],
    });
    const micropip = pyodide.pyimport('micropip');
    const wheel = `${release.folder}python/webrerank-${release.VERSION}-py3-none-any.whl`;
    await micropip.install.callKwargs(wheel, { deps: false });
  },

  /** Unpack a zip, given in base64, into a folder of Pyodide's file system. */
  unpack({ zip, folder }) {
    const bytes = Uint8Array.from(atob(zip), (char) => char.charCodeAt(0));
    pyodide.FS.mkdirTree(folder);
    pyodide.unpackArchive(bytes, 'zip', { extractDir: folder });
  },

  /** Run Python; its last line is the answer. A value for it is at hand as `given`. */
  async run({ code, given }) {
    pyodide.globals.set('given', pyodide.toPy(given ?? null));
    return pyodide.runPythonAsync(code);
  },
};

globalThis.onmessage = async ({ data }) => {
  try {
    postMessage({ value: await actions[data.action](data) });
  } catch (error) {
    postMessage({ error: String(error?.message ?? error) });
  }
};
