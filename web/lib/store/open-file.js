/** @file One file of a model: from disk, from the database, or from the network. */

import { RerankError } from '../errors.js';
import { changed, Missing } from './download-errors.js';
import { download } from './download.js';
import { findByAddress, keyOf } from './files.js';
import { readStored } from './stored.js';
import { alone } from './tabs.js';

/** @typedef {import('./sources.js').FileSpec} FileSpec */

/**
 * @typedef {object} OpenedFile
 * @property {FileSpec | null} spec with what is known by now; null if it is missing, and may be
 * @property {Blob} blob
 * @property {boolean} saved
 * @property {boolean} isNew whether its content was not known before
 */

/**
 * @typedef {object} OpenFileOptions
 * @property {string} name of the model
 * @property {boolean} listed whether its host says which version of a file it has
 * @property {boolean} hurry whether there is a stored release to use instead
 * @property {import('./bytes-meter.js').BytesMeter} meter
 * @property {AbortSignal} signal
 */

/** @returns {OpenedFile} an empty configuration, in place of a file that is optional */
const absent = () => ({ spec: null, blob: new Blob(['{}']), saved: true, isNew: false });

/**
 * @param {FileSpec | null} spec null if it is missing, and may be
 * @param {OpenFileOptions} options
 * @returns {Promise<OpenedFile>}
 */
export async function openFile(spec, options) {
  if (!spec) return absent();
  if (spec.blob) return { spec, blob: spec.blob, saved: false, isNew: false };
  const { signal, meter } = options;
  const tell = () => meter.alive(spec);
  return alone(keyOf(spec) ?? '', { signal, tell }, async () => {
    const sha256 = spec.sha256 ?? (await findByAddress(spec));
    const known = { ...spec, sha256 };
    const stored = await readStored(known, signal, (loaded, total) =>
      meter.tell('download', spec, loaded, total, true),
    );
    if (!stored) return fetchFile(spec, options);
    const isNew = spec.sha256 === null;
    return { spec: { ...known, bytes: stored.size }, blob: stored, saved: true, isNew };
  });
}

/**
 * @param {FileSpec} spec
 * @param {OpenFileOptions} options
 * @returns {Promise<OpenedFile>}
 */
async function fetchFile(spec, { meter, ...options }) {
  try {
    const { blob, saved, sha256, validator } = await download(spec, {
      ...options,
      onBytes: (loaded, total) => meter.tell('download', spec, loaded, total, false),
      onVerify: () => meter.verify(spec),
      onWait: () => meter.alive(spec),
    });
    const known = { ...spec, bytes: blob.size, sha256, validator };
    return { spec: known, blob, saved, isNew: spec.sha256 === null };
  } catch (error) {
    options.signal.throwIfAborted();
    if (!(error instanceof RerankError)) throw error;
    // What was stored of a folder is not to be had there any more.
    if (options.listed && spec.sha256 && error.code === 'model_integrity') {
      throw changed(spec, error);
    }
    if (error.cause instanceof Missing) return whenMissing(spec, error, options.listed);
    throw error;
  }
}

/**
 * @param {FileSpec} spec
 * @param {RerankError} error
 * @param {boolean} listed
 */
function whenMissing(spec, error, listed) {
  if (listed && spec.validator) throw changed(spec, error); // it was there a moment ago
  if (spec.path === 'tokenizer_config.json') return absent();
  // A file that was listed should be there: the host's answer says more.
  if (spec.bytes) throw error;
  throw new RerankError(
    'unsupported_model',
    `The model has no ${spec.path}. Choose another model.`,
  );
}
