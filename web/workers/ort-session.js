/** @file A session of ONNX Runtime Web: any model, on WebAssembly or WebGPU. */

import { RerankError } from '../lib/errors.js';
import { createSession, loadRuntime } from './ort.js';

/** @typedef {typeof import('onnxruntime-web')} Ort */
/** @typedef {import('onnxruntime-web').InferenceSession} InferenceSession */

/** @type {Promise<Ort> | null} */
let runtime = null;

/**
 * ONNX Runtime, loaded once; a failure is forgotten, so that it can be tried again.
 * @param {import('../webrerank.js').Device} device
 */
export function getRuntime(device) {
  runtime ??= loadRuntime(device).catch((error) => {
    runtime = null;
    throw error;
  });
  return runtime;
}

export class OrtSession {
  /** @type {'onnxruntime'} */
  engine = 'onnxruntime';
  #ort;
  #session;

  /**
   * @param {import('../webrerank.js').Device} device
   * @param {import('./sessions.js').Files} files
   */
  static async load(device, { graph, externalData }) {
    const ort = await getRuntime(device);
    return new OrtSession(ort, await createSession(ort, device, graph, externalData));
  }

  /**
   * @param {Ort} ort
   * @param {InferenceSession} session
   */
  constructor(ort, session) {
    this.#ort = ort;
    this.#session = session;
  }

  /** Settles when the GPU is lost, with the reason. */
  async gpuLost() {
    const gpu = /** @type {any} */ (await this.#ort.env.webgpu.device);
    const { reason } = await gpu.lost;
    return reason;
  }

  get inputMetadata() {
    return this.#session.inputMetadata;
  }

  /**
   * @param {import('./sessions.js').Run} run
   * @returns {Promise<Float32Array>}
   */
  async run({ feeds, output: name, rows, length }) {
    const tensors = Object.entries(feeds).map(([name, values]) => {
      const tensor =
        values instanceof Int32Array
          ? new this.#ort.Tensor('int32', values, [rows, length])
          : new this.#ort.Tensor('int64', values, [rows, length]);
      return [name, tensor];
    });
    const outputs = await this.#session.run(Object.fromEntries(tensors));
    const output = outputs[name] ?? outputs.logits ?? smallest(Object.values(outputs));
    if (output.data instanceof Uint16Array) {
      throw new RerankError(
        'unsupported_model',
        "This browser cannot read the model's 16-bit answers. Choose dtype 'fp32' or 'q8'.",
      );
    }
    // A copy: the answer is small, and ONNX Runtime may reuse its own.
    return Float32Array.from(/** @type {Float32Array} */ (output.data));
  }
}

/**
 * Where it is not known yet which output is wanted: no floats are fewer than the logits.
 * @param {import('onnxruntime-web').Tensor[]} outputs
 */
function smallest(outputs) {
  const floats = outputs.filter(({ type }) => type.startsWith('float'));
  return (floats.length ? floats : outputs).reduce((one, two) => (two.size < one.size ? two : one));
}
