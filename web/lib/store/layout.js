/** @file How a model's folder is laid out on the hub: which names its files have. */

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

/** The files beside the weights; the last may be missing. */
export const CONFIG_PATHS = ['config.json', 'tokenizer.json', 'tokenizer_config.json'];

/**
 * Which precisions a set of paths holds.
 * @param {(path: string) => boolean} has
 * @returns {Partial<Record<Dtype, string>>}
 */
export function modelPaths(has) {
  const found = Object.entries(MODEL_PATHS).map(([dtype, paths]) => [dtype, paths.find(has)]);
  return Object.fromEntries(found.filter(([, path]) => path));
}
