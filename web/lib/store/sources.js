/**
 * @file From a model's name to its files: where they are, and what is known of them. A name is an
 * id in the catalogue or the URL of a folder in the hub's layout.
 */

import { RerankError } from '../errors.js';

/** @typedef {import('../../webrerank.js').Dtype} Dtype */

/**
 * @typedef {object} FileSpec
 * @property {string} path inside the model's folder
 * @property {string} url
 * @property {number} bytes 0 if not known before the download
 * @property {string | null} sha256 hex; null if not known
 */

/**
 * @typedef {object} Source
 * @property {string} id
 * @property {FileSpec} config
 * @property {FileSpec} tokenizer
 * @property {FileSpec} tokenizerConfig
 * @property {Partial<Record<Dtype, FileSpec>>} models
 */

/** The hub's file name of each precision. */
const MODEL_PATHS = /** @type {const} */ ({
  q8: 'onnx/model_quantized.onnx',
  fp16: 'onnx/model_fp16.onnx',
  fp32: 'onnx/model.onnx',
});

const CATALOGUE = new URL('../../catalogue.json', import.meta.url);

/**
 * Find a model's files.
 * @param {string} name
 * @param {AbortSignal} signal
 * @returns {Promise<Source>}
 */
export async function findSource(name, signal) {
  const folder = folderUrl(name);
  if (folder) return folderSource(folder, signal);
  const response = await fetch(CATALOGUE, { signal });
  const { models } = await response.json();
  const entry = models.find((/** @type {any} */ model) => model.id === name);
  if (entry) return catalogueSource(entry);
  throw new RerankError(
    'invalid_request',
    `The model is not known. Known are: ${models.map((/** @type {any} */ m) => m.id).join(', ')}; ` +
      'or give the URL of a folder in the hub layout.',
  );
}

/** @param {string} name */
function folderUrl(name) {
  const looksLikeUrl = /^(https?:\/\/|\.{0,2}\/)/.test(name);
  // Relative to the site, not to this file: that is what the caller sees.
  return looksLikeUrl ? new URL(name.endsWith('/') ? name : `${name}/`, siteUrl()) : null;
}

/** The folder that holds webrerank.js. */
const siteUrl = () => new URL('../../', import.meta.url);

/**
 * @param {any} entry of catalogue.json
 * @returns {Source}
 */
function catalogueSource(entry) {
  const base = new URL(entry.folder, siteUrl());
  const file = (/** @type {any} */ { path, bytes, sha256 }) => ({
    path,
    url: new URL(path, base).href,
    bytes,
    sha256,
  });
  return {
    id: entry.id,
    config: file(entry.config),
    tokenizer: file(entry.tokenizer),
    tokenizerConfig: file(entry.tokenizerConfig),
    models: Object.fromEntries(
      Object.entries(entry.models).map(([dtype, spec]) => [dtype, file(spec)]),
    ),
  };
}

/**
 * A folder cannot be listed, so each precision is asked for.
 * @param {URL} base
 * @param {AbortSignal} signal
 * @returns {Promise<Source>}
 */
async function folderSource(base, signal) {
  const file = (/** @type {string} */ path) => ({
    path,
    url: new URL(path, base).href,
    bytes: 0,
    sha256: null,
  });
  const models = await Promise.all(
    Object.entries(MODEL_PATHS).map(async ([dtype, path]) => {
      const spec = file(path);
      const response = await fetch(spec.url, { method: 'HEAD', signal }).catch(() => null);
      const html = response?.headers.get('content-type')?.startsWith('text/html');
      return response?.ok && !html ? [[dtype, spec]] : [];
    }),
  );
  signal.throwIfAborted();
  if (!models.flat().length) {
    throw new RerankError(
      'model_load',
      'The model folder has no ONNX file, or cannot be reached. It needs config.json, ' +
        `tokenizer.json and one of ${Object.values(MODEL_PATHS).join(', ')}.`,
    );
  }
  return {
    id: base.pathname.split('/').filter(Boolean).at(-1) ?? base.host,
    config: file('config.json'),
    tokenizer: file('tokenizer.json'),
    tokenizerConfig: file('tokenizer_config.json'),
    models: Object.fromEntries(models.flat()),
  };
}
