/**
 * @file A module worker that boots Pyodide from dist/, without its snapshot, and gives the tests in it
 * what the product's own worker has: the tokenizer and session workers. Served beside dist/.
 */

import { WorkerClient } from '../../dist/lib/worker-client.js';
import { VERSION } from '../../dist/lib/version.js';
import { replacedInTime, SessionPort } from '../../dist/workers/session-port.js';
import { loadTokenizer } from '../../dist/workers/tokenizer.js';

const DIST = new URL('../../dist/', import.meta.url).href;
const PYODIDE = `${DIST}vendor/pyodide/`;
const MODEL = `${DIST}models/ms-marco-MiniLM-L-12-v2/`;

let pyodide;
let model;

function modelFile() {
  model ??= fetch(`${MODEL}onnx/model_quantized.onnx`).then((response) => response.blob());
  return model;
}

/** What Python reaches as `js.harness`. */
globalThis.harness = {
  loadTokenizer,
  inTime: replacedInTime,

  /** @param {string} name a file of the bundled model */
  modelText: async (name) => (await fetch(MODEL + name)).text(),

  modelGraph: async () => new Uint8Array(await (await modelFile()).arrayBuffer()),

  /** Start a session worker of its own; gives a SessionPort. */
  async openSession() {
    const client = new WorkerClient(new URL('workers/session-worker.js', DIST), 'session');
    await client.call('boot', { device: 'wasm' });
    const { port1, port2 } = new MessageChannel();
    await client.call(
      'load',
      { graph: await modelFile(), externalData: [], port: port1 },
      { transfer: [port1] },
    );
    return new SessionPort(port2);
  },
};

const actions = {
  async boot() {
    const { loadPyodide } = await import(`${PYODIDE}pyodide.mjs`);
    pyodide = await loadPyodide({
      indexURL: PYODIDE,
      lockFileURL: `${PYODIDE}pyodide-lock.json`,
      packageBaseUrl: PYODIDE,
      packages: ['numpy', 'micropip'],
    });
    const micropip = pyodide.pyimport('micropip');
    const wheel = `${PYODIDE}webrerank-${VERSION}-py3-none-any.whl`;
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
