/**
 * @file Pure: how a model's folder is laid out, which names its files have, and where the weights
 * beside a graph may lie.
 */

import { RerankError } from '../errors.js';

/** @typedef {import('../../webrerank.js').Dtype} Dtype */

/** The names under which repositories keep each precision; the first found is taken. */
export const MODEL_PATHS = /** @type {Record<Dtype, string[]>} */ ({
  q8: [
    ...['onnx/model_quantized.onnx', 'onnx/model_int8.onnx', 'onnx/model_uint8.onnx'],
    // sentence-transformers names its int8 files after the CPU they were tuned for.
    ...['onnx/model_quint8_avx2.onnx', 'onnx/model_qint8_avx512_vnni.onnx'],
    ...['onnx/model_qint8_arm64.onnx', 'model_quantized.onnx'],
  ],
  fp16: ['onnx/model_fp16.onnx', 'model_fp16.onnx'],
  fp32: ['onnx/model.onnx', 'model.onnx'],
});

/** What tells the precision in any other name. 4 bits are none of ours. */
const OTHER_PRECISION = /(^|[^a-z0-9])(q[1-6]|q4f16|bnb4|u?int4|nf4|fp8|bf16)([^a-z0-9]|$)/;
const IN_NAME = /** @type {Record<Dtype, RegExp>} */ ({
  q8: /(^|[^a-z0-9])(q8|q?u?int8|quantized|quant|8bit)([^a-z0-9]|$)/,
  fp16: /(^|[^a-z0-9])(fp16|float16|f16|half)([^a-z0-9]|$)/,
  fp32: /(^|[^a-z0-9])(fp32|float32|f32)([^a-z0-9]|$)/,
});

/** The files that every model has. */
export const REQUIRED_PATHS = ['config.json', 'tokenizer.json'];

/** The files beside the weights; the last may be missing. */
export const CONFIG_PATHS = [...REQUIRED_PATHS, 'tokenizer_config.json'];

/**
 * Which precisions a folder has: by the names that are usual, else by any name that tells it; a
 * sole ONNX file whose name tells nothing is taken for fp32.
 * @param {Iterable<string>} paths of all its files
 * @returns {Partial<Record<Dtype, string>>}
 */
export function modelPaths(paths) {
  const all = [...paths].filter((path) => path.endsWith('.onnx'));
  const depth = (/** @type {string} */ path) => path.split('/').length;
  all.sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
  const found = Object.entries(MODEL_PATHS).map(([dtype, usual]) => [
    dtype,
    usual.find((path) => all.includes(path)) ??
      all.find((path) => precisionIn(path) === dtype) ??
      (dtype === 'fp32' && all.length === 1 && precisionIn(all[0]) === null ? all[0] : undefined),
  ]);
  return Object.fromEntries(found.filter(([, path]) => path));
}

/**
 * @param {string} path
 * @returns {string | null} null if the name tells none
 */
function precisionIn(path) {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  if (OTHER_PRECISION.test(name)) return 'other';
  return Object.entries(IN_NAME).find(([, words]) => words.test(name))?.[0] ?? null;
}

/**
 * Whether a path is by its name the external data of a model file: both spellings exist.
 * @param {string} path
 * @param {string} modelPath
 */
export const isBeside = (path, modelPath) =>
  [`${modelPath}_data`, `${modelPath}.data`].includes(path);

/**
 * Where the weights lie that a graph names. A model file is data from a stranger: it names files
 * beside it or below, nothing else.
 * @param {string} modelPath
 * @param {string} location as the graph names it
 * @returns {string} the path in the model's folder
 * @throws {RerankError} 'unsupported_model'
 */
export function externalPath(modelPath, location) {
  const parts = location.replaceAll('\\', '/').split('/');
  const reason = parts.includes('..')
    ? "a location with '..' may lead out of the model's folder"
    : /^[a-z][a-z\d+.-]*:/i.test(location)
      ? 'it is an address or a drive, not a file in the folder'
      : parts[0] === '' && parts.length > 1
        ? 'it is an absolute path'
        : // eslint-disable-next-line no-control-regex
          !/[^./]/.test(location) || /[\0-\x1f\x7f]/.test(location)
          ? 'it is no name of a file'
          : null;
  if (reason) {
    throw new RerankError(
      'unsupported_model',
      `The model keeps its weights outside its folder, or in no file: ${reason}. Export it again ` +
        'with the weights beside the model file, or choose another model.',
    );
  }
  const folder = modelPath.slice(0, modelPath.lastIndexOf('/') + 1);
  return folder + parts.filter((part) => part && part !== '.').join('/');
}
