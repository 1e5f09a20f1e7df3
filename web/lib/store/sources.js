/**
 * @file From what the caller names to the files of a model: an id in the catalogue, a hub's
 * 'owner/name', the URL of a folder in the hub's layout, or files from disk.
 */

import { RerankError } from '../errors.js';
import { SITE } from '../site.js';
import { findInCatalogue, HUB } from './catalogue.js';
import { hubSource } from './hub.js';
import { CONFIG_PATHS, MODEL_PATHS, modelPaths } from './layout.js';

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

/**
 * Find a model's files.
 * @param {string | Blob[]} model
 * @param {AbortSignal} signal
 * @returns {Promise<Source>}
 */
export async function findSource(model, signal) {
  if (typeof model !== 'string') return diskSource('files from disk', model);
  // The address of a model's page on the hub means that model.
  const name = model.startsWith(`${HUB}/`) ? model.slice(HUB.length + 1) : model;
  if (/^(https?:\/\/|\.{0,2}\/)/.test(name)) return folderSource(name, signal);
  const known = await findInCatalogue(name, signal);
  if (known) return known;
  if (/^[\w.-]+\/[\w.-]+$/.test(name)) return hubSource(name, signal);
  throw new RerankError(
    'invalid_request',
    "The model is not known. Give an id of the catalogue (models.list() has them), a hub's " +
      "'owner/name', the URL of a folder (a relative folder starts with ./ or ../), or files.",
  );
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
  const folder = address.endsWith('/') ? address : `${address}/`;
  if (!URL.canParse(folder, SITE)) {
    throw new RerankError('invalid_request', 'The address of the model folder is no valid URL.');
  }
  const base = new URL(folder, SITE);
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

/** What lies in a model's folder beside the ONNX files, for other programs and for people. */
const NOT_READ = /(^|\/)pytorch_model.*\.bin$|\.(br|gz|safetensors|h5|msgpack|pt|md|txt)$/;

/**
 * Files from disk, in a folder or side by side.
 * @param {string} id
 * @param {Blob[]} blobs files with a name
 * @param {string} [keys] what the database's keys begin with
 * @returns {Source}
 */
export function diskSource(id, blobs, keys = '') {
  const paths = [...CONFIG_PATHS, ...Object.values(MODEL_PATHS).flat()];
  /** @type {Record<string, FileSpec>} */
  const files = {};
  // The deepest first, so that a file of the folder itself wins over one in a sub-folder.
  const depth = (/** @type {any} */ file) => (file.webkitRelativePath ?? '').split('/').length;
  for (const blob of [...blobs].sort((a, b) => depth(b) - depth(a))) {
    const { name = '', webkitRelativePath = '' } = /** @type {File} */ (blob);
    const given = webkitRelativePath || name;
    if (NOT_READ.test(given)) continue;
    const path =
      paths.find((known) => given === known || given.endsWith(`/${known}`)) ??
      paths.find((known) => known.endsWith(`/${name}`)) ??
      name; // external data: asked for by the name that the graph gives it
    files[path] = {
      key: `${keys}${path}`,
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
    const verb = missing.length > 1 ? 'are' : 'is';
    throw new RerankError(
      'invalid_request',
      `The files given are no model: ${wanted} ${verb} missing.`,
    );
  }
  return { id, files, models, base: null };
}
