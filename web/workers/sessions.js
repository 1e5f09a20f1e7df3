/** @file Which engine runs a model: chosen here, and nowhere else. */

import { getModule, KernelSession } from './kernel-session.js';
import { getRuntime, OrtSession } from './ort-session.js';

/** @typedef {import('../webrerank.js').Device} Device */
/** @typedef {import('../webrerank.js').RerankerOptions['engine']} Wanted */
/** @typedef {Omit<import('../lib/protocol.js').RunMessage, 'type' | 'id'>} Run */

/** @typedef {OrtSession | KernelSession} Session `engine`, `inputMetadata`, `run` */

/**
 * @typedef {object} Files of a model
 * @property {Blob} graph
 * @property {{ path: string, data: Blob }[]} externalData
 */

/**
 * Load what will probably be needed, before the model is known.
 * @param {Device} device
 * @param {Wanted} engine
 * @returns {Promise<unknown>}
 */
export const prepare = (device, engine) =>
  mayBeKernel(device, engine) ? getModule() : getRuntime(device);

/**
 * The kernel for models that it understands, ONNX Runtime Web for all others.
 * @param {Device} device
 * @param {Wanted} engine
 * @param {Files} files
 * @returns {Promise<Session>}
 */
export async function openSession(device, engine, files) {
  const own = mayBeKernel(device, engine) ? await KernelSession.load(files) : null;
  return own ?? OrtSession.load(device, files);
}

/**
 * @param {Device} device
 * @param {Wanted} engine
 */
const mayBeKernel = (device, engine) => device === 'wasm' && engine === 'auto';
