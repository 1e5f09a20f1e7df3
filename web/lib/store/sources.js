/**
 * @file From what the caller names to the files of a model: an id in the catalogue, a hub's
 * 'owner/name', the URL of a folder in the hub's layout, or files from disk.
 */

import { RerankError } from '../errors.js';
import { findInCatalogue } from './catalogue.js';
import { hubSource } from './hub.js';

/** @typedef {import('../../webrerank.js').Dtype} Dtype */

/**
 * @typedef {object} FileSpec
 * @property {string} key under which the database keeps it
 * @property {string} path inside the model's folder
 * @property {string | null} url null if it can only come from this device
 * @property {number} bytes 0 if not known
 * @property {string | null} sha256 hex; null if not known
 * @property {Blob} [blob] a file from disk, read where it lies
 */

/**
 * @typedef {object} Source
 * @property {string} id
 * @property {Record<string, FileSpec>} files by path; of a folder only those known to be there
 * @property {Partial<Record<Dtype, string>>} models the path of each precision
 * @property {string | null} base URL of the folder; null if there is none
 */

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
 * Find a model's files.
 * @param {string | Blob[]} model
 * @param {AbortSignal} signal
 * @returns {Promise<Source>}
 */
export async function findSource(model, signal) {
  if (typeof model !== 'string') return diskSource('files from disk', model);
  const known = await findInCatalogue(model, signal);
  if (known) return known;
  if (/^(https?:\/\/|\.{0,2}\/)/.test(model)) return folderSource(model, signal);
  if (/^[\w.-]+\/[\w.-]+$/.test(model)) return hubSource(model, signal);
  throw new RerankError(
    'invalid_request',
    "The model is not known. Give an id of the catalogue (models.list() has them), a hub's " +
      "'owner/name', the URL of a folder, or files.",
  );
}

/**
 * Which precisions a set of paths holds.
 * @param {(path: string) => boolean} has
 * @returns {Partial<Record<Dtype, string>>}
 */
export function modelPaths(has) {
  const found = Object.entries(MODEL_PATHS).map(([dtype, paths]) => [dtype, paths.find(has)]);
  return Object.fromEntries(found.filter(([, path]) => path));
}

/**
 * The file of a source at a path; one that is not listed may still be in its folder.
 * @param {Source} source
 * @param {string} path
 * @returns {FileSpec | null}
 */
export function fileOf(source, path) {
  if (Object.hasOwn(source.files, path)) return source.files[path];
  return source.base ? fileAt(new URL(path, source.base), path) : null;
}

/**
 * A file of which nothing but its address is known.
 * @param {URL} url
 * @param {string} path
 * @returns {FileSpec}
 */
const fileAt = (url, path) => ({ key: url.href, path, url: url.href, bytes: 0, sha256: null });

/**
 * A folder on a web server cannot be listed, so each precision is asked for.
 * @param {string} address absolute, or relative to the folder of webrerank.js
 * @param {AbortSignal} signal
 * @returns {Promise<Source>}
 */
async function folderSource(address, signal) {
  const site = new URL('../../', import.meta.url);
  const base = new URL(address.endsWith('/') ? address : `${address}/`, site);
  const names = Object.values(MODEL_PATHS).map((paths) => paths[0]);
  const present = await Promise.all(
    names.map(async (path) => {
      const answer = await fetch(new URL(path, base), { method: 'HEAD', signal }).catch(() => null);
      // Hosts of single-page apps answer every path with their page.
      const html = answer?.headers.get('content-type')?.startsWith('text/html');
      return answer?.ok && !html ? path : null;
    }),
  );
  signal.throwIfAborted();
  const models = modelPaths((path) => present.includes(path));
  if (!Object.keys(models).length) {
    throw new RerankError(
      'model_load',
      'The model folder has no ONNX file, or cannot be reached. It needs config.json, ' +
        `tokenizer.json and one of ${names.join(', ')}.`,
    );
  }
  const id = base.pathname.split('/').filter(Boolean).at(-1) ?? base.host;
  return { id, files: {}, models, base: base.href };
}

/**
 * Files from disk, in a folder or side by side.
 * @param {string} id
 * @param {Blob[]} blobs files with a name
 * @returns {Source}
 */
export function diskSource(id, blobs) {
  const paths = [...CONFIG_PATHS, ...Object.values(MODEL_PATHS).flat()];
  /** @type {Record<string, FileSpec>} */
  const files = {};
  for (const blob of blobs) {
    const { name = '', webkitRelativePath = '' } = /** @type {File} */ (blob);
    const given = webkitRelativePath || name;
    const path =
      paths.find((known) => given === known || given.endsWith(`/${known}`)) ??
      paths.find((known) => known.endsWith(`/${name}`)) ??
      name; // external data: asked for by the name that the graph gives it
    files[path] = {
      key: `added:${id}/${path}`,
      path,
      url: null,
      bytes: blob.size,
      sha256: null,
      blob,
    };
  }
  const models = modelPaths((path) => Object.hasOwn(files, path));
  const missing = ['config.json', 'tokenizer.json'].filter((path) => !Object.hasOwn(files, path));
  if (missing.length || !Object.keys(models).length) {
    const wanted = missing.length ? missing.join(' and ') : 'an ONNX file named as on the hub';
    throw new RerankError('invalid_request', `The files given are no model: ${wanted} is missing.`);
  }
  return { id, files, models, base: null };
}
