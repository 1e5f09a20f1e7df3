/**
 * @file A session of the project's own kernel: int8 models of the BERT family. kernel/README.md says
 * how it works; py_src/webrerank/adapters/kernel.py does the same in CPython.
 */

import { asRerankError, RerankError } from '../lib/errors.js';

/** @typedef {import('./sessions.js').Files} Files */

/**
 * What the kernel exports.
 * @typedef {object} Exports
 * @property {WebAssembly.Memory} memory
 * @property {(bytes: number) => number} allocate
 * @property {(name: number, length: number, bytes: number) => void} add_file
 * @property {() => void} load
 * @property {() => number} probe
 * @property {() => number} status
 * @property {() => number} labels
 * @property {(tokens: number) => number} ids
 * @property {() => number} types
 * @property {(tokens: number) => number} run
 * @property {() => number} logits
 */

/** How a call ends; the same numbers stand in kernel/base.h. */
const [NOT_UNDERSTOOD, OUT_OF_MEMORY, BAD_TOKEN, TOO_LONG] = [1, 2, 3, 4];

/** The build with relaxed SIMD is the faster; not all engines have it. */
const BUILDS = ['relaxed', 'plain'];

/** @type {Promise<WebAssembly.Module | null> | null} */
let compiled = null;

/**
 * The fastest build that runs here, compiled once; null if none does. A failure is forgotten.
 * @returns {Promise<WebAssembly.Module | null>}
 */
export function getModule() {
  compiled ??= compile().catch((cause) => {
    compiled = null;
    throw asRerankError(
      cause,
      'runtime_load',
      'The kernel could not be loaded. Reload the page and try again.',
    );
  });
  return compiled;
}

async function compile() {
  for (const build of BUILDS) {
    const response = await fetch(new URL(`../kernel/${build}.wasm`, import.meta.url));
    if (!response.ok) throw new Error(`status ${response.status}`);
    const bytes = await response.arrayBuffer();
    if (!WebAssembly.validate(bytes)) continue; // instructions that are not known here
    const module = await WebAssembly.compile(bytes);
    if (computesRightly(module)) return module;
  }
  return null;
}

/**
 * Whether the one relaxed instruction gives the known numbers here.
 * @param {WebAssembly.Module} module
 */
function computesRightly(module) {
  const { exports } = new WebAssembly.Instance(module, { host: { read: () => {} } });
  return /** @type {Exports} */ (/** @type {unknown} */ (exports)).probe() === 1;
}

/** What models of the kernel are fed, those that have no types too. */
const INPUTS = ['input_ids', 'attention_mask', 'token_type_ids'].map(
  (name) =>
    /** @type {const} */ ({ name, isTensor: true, type: 'int64', shape: ['rows', 'length'] }),
);

export class KernelSession {
  /** @type {'kernel'} */
  engine = 'kernel';
  #kernel;

  /**
   * @param {Files} files
   * @returns {Promise<KernelSession | null>} null if the kernel does not understand the model, or
   *   does not run here
   */
  static async load({ graph, externalData }) {
    const module = await getModule();
    if (!module) return null;
    const parts = [{ path: '', data: graph }, ...externalData];
    const contents = await Promise.all(
      parts.map(async ({ data }) => new Uint8Array(await data.arrayBuffer())),
    );
    /** @type {Exports} */
    let kernel;
    /** @type {(file: number, start: number, into: number, length: number) => void} */
    const read = (file, start, into, length) => {
      const part = contents[file].subarray(start >>> 0, (start >>> 0) + (length >>> 0));
      new Uint8Array(kernel.memory.buffer).set(part, into >>> 0);
    };
    const { exports } = await WebAssembly.instantiate(module, { host: { read } });
    kernel = /** @type {Exports} */ (/** @type {unknown} */ (exports));
    try {
      parts.forEach(({ path }, place) => addFile(kernel, path, contents[place].length));
      kernel.load();
    } catch (error) {
      if (kernel.status() === NOT_UNDERSTOOD) return null;
      throw kernelError(kernel.status(), error);
    }
    return new KernelSession(kernel);
  }

  get inputMetadata() {
    return INPUTS;
  }

  /** @param {Exports} kernel loaded */
  constructor(kernel) {
    this.#kernel = kernel;
  }

  /**
   * @param {import('./sessions.js').Run} run without padding
   * @returns {Promise<Float32Array>}
   */
  async run({ feeds, rows, length }) {
    const [ids, mask, types] = INPUTS.map(({ name }) => feeds[name]);
    const isPadded = mask instanceof BigInt64Array && mask.includes(0n);
    if (!(ids instanceof BigInt64Array) || isPadded) {
      throw new RerankError(
        'internal',
        'The kernel was fed as another model would be. Report it with what you did.',
      );
    }
    const given = types instanceof BigInt64Array ? types : new BigInt64Array(ids.length);
    const labels = this.#kernel.labels();
    const logits = new Float32Array(rows * labels);
    for (let row = 0; row < rows; row++) {
      const [start, end] = [row * length, (row + 1) * length];
      const own = this.#runRow(ids.subarray(start, end), given.subarray(start, end));
      logits.set(own, row * labels);
    }
    return logits;
  }

  /**
   * @param {BigInt64Array} ids
   * @param {BigInt64Array} types
   * @returns {Float32Array} in the kernel's memory, until the next run
   */
  #runRow(ids, types) {
    const kernel = this.#kernel;
    try {
      const place = kernel.ids(ids.length);
      if (!place) throw kernelError(TOO_LONG);
      new BigInt64Array(kernel.memory.buffer, place >>> 0, ids.length).set(ids);
      new BigInt64Array(kernel.memory.buffer, kernel.types() >>> 0, ids.length).set(types);
      const status = kernel.run(ids.length);
      if (status) throw kernelError(status);
      return new Float32Array(kernel.memory.buffer, kernel.logits() >>> 0, kernel.labels());
    } catch (error) {
      throw error instanceof RerankError ? error : kernelError(kernel.status(), error);
    }
  }
}

/**
 * @param {Exports} kernel
 * @param {string} path as the graph names it
 * @param {number} bytes
 */
function addFile(kernel, path, bytes) {
  const name = new TextEncoder().encode(path);
  const place = kernel.allocate(name.length) >>> 0;
  new Uint8Array(kernel.memory.buffer).set(name, place);
  kernel.add_file(place, name.length, bytes);
}

/**
 * @param {number} status
 * @param {unknown} [cause]
 */
function kernelError(status, cause) {
  if (status === OUT_OF_MEMORY) {
    return new RerankError(
      'out_of_memory',
      'This device has too little memory for the model. Use fewer sessions or a smaller model.',
      { cause },
    );
  }
  const reasons = {
    [TOO_LONG]: 'it is longer than the model allows',
    [BAD_TOKEN]: 'it has a token that the model does not know',
  };
  const reason = reasons[status] ?? 'the kernel gave up';
  return new RerankError(
    'inference',
    `The model failed on this document: ${reason}. Leave the document out, or choose another model.`,
    { cause },
  );
}
