/** @file Files from disk as a model: a folder, or files side by side. */

import { RerankError } from '../errors.js';
import { modelPaths, REQUIRED_PATHS } from './layout.js';

/** @typedef {import('./sources.js').Release} Release */
/** @typedef {import('./sources.js').FileSpec} FileSpec */

/** What lies in a model's folder beside the ONNX files, for other programs and for people. */
const NOT_READ = /(^|\/)pytorch_model.*\.bin$|\.(br|gz|safetensors|h5|msgpack|pt|md|txt)$/;

/**
 * @param {string} name
 * @param {Blob[]} blobs files with a name
 * @returns {Release}
 */
export function diskRelease(name, blobs) {
  const given = blobs.map((blob) => {
    const { name: own = '', webkitRelativePath = '' } = /** @type {File} */ (blob);
    return { path: webkitRelativePath || own, blob };
  });
  const depth = (/** @type {string} */ path) => path.split('/').length;
  const read = given
    .filter(({ path }) => !NOT_READ.test(path))
    .sort((a, b) => depth(a.path) - depth(b.path));
  // The model's folder is where config.json is; of several the one that is highest.
  const config = read.find(({ path }) => /(^|\/)config\.json$/.test(path))?.path ?? '';
  const root = config.slice(0, config.lastIndexOf('/') + 1);
  const inside = read.filter(({ path }) => path.startsWith(root));
  /** @type {Map<string, FileSpec>} */
  const files = new Map();
  for (const { path: full, blob } of inside) {
    const path = full.slice(root.length);
    const spec = { path, url: null, bytes: blob.size, sha256: null, validator: null, blob };
    files.set(path, spec);
  }
  const models = modelPaths(files.keys());
  const missing = REQUIRED_PATHS.filter((path) => !files.has(path));
  if (missing.length || !Object.keys(models).length) {
    const wanted = missing.length
      ? missing.join(' and ')
      : 'an ONNX file whose name tells its precision, as model_quantized.onnx does,';
    const verb = missing.length > 1 ? 'are' : 'is';
    throw new RerankError(
      'invalid_request',
      `The files given are no model: ${wanted} ${verb} missing. Give all files of its folder.`,
    );
  }
  const from = { name, id: name, kind: /** @type {const} */ ('disk'), base: null, revision: null };
  const all = Object.fromEntries(files);
  return { ...from, models, files: all, used: {}, storedAt: 0, lastUsed: 0 };
}
