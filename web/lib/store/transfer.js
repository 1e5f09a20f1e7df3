/** @file A stored model as one file, and back. */

import { RerankError } from '../errors.js';
import { addModel } from './keep.js';
import { readRelease, usedPaths } from './releases.js';
import { readStored } from './stored.js';

/** First bytes of an exported model: a name, and the version of the form. */
const MAGIC = 'webrerank-model-1\n';

/** What names and paths of an export may be: people name their models as they like. */
const PRINTABLE = /^\P{Cc}{1,200}$/u;

/** An export's header is a list of files, not a book, bytes. */
const MOST_HEADER_BYTES = 2 ** 20;

/** @typedef {{ path: string, bytes: number }} Entry */

/**
 * A stored model as one file: a header, then the files as they are. No compression, so nothing
 * has to be held in memory, and nothing can expand when it is read.
 * @param {string} name
 * @param {AbortSignal} signal
 * @returns {Promise<Blob>} the whole model
 * @throws {RerankError} if any of its files is missing
 */
export async function exportModel(name, signal) {
  const release = await readRelease(name);
  if (!release) {
    throw new RerankError('invalid_request', 'This model is not stored here. Load it first.');
  }
  const files = await Promise.all(
    usedPaths(release).map(async (path) => {
      const spec = release.files[path];
      const blob = await readStored(spec, signal, () => {}).catch(() => null);
      return { path, blob };
    }),
  );
  signal.throwIfAborted();
  const missing = files.filter(({ blob }) => !blob).map(({ path }) => path);
  if (missing.length) {
    throw new RerankError(
      'model_load',
      `The model is not whole on this device: ${missing.join(', ')} cannot be read. Load or add it ` +
        'once more, then export it.',
    );
  }
  const blobs = files.map(({ blob }) => /** @type {Blob} */ (blob));
  const list = files.map(({ path }, index) => ({ path, bytes: blobs[index].size }));
  const header = JSON.stringify({ name, files: list });
  return new Blob([MAGIC, `${header}\n`, ...blobs]);
}

/**
 * Inverse of exportModel.
 * @param {Blob} file from a stranger: nothing in it is believed unchecked
 * @param {string | undefined} wish another name for it
 * @param {AbortSignal} signal
 * @returns {Promise<string>} the model's name
 */
export async function importModel(file, wish, signal) {
  const head = await file.slice(0, MAGIC.length + MOST_HEADER_BYTES).text();
  const end = head.indexOf('\n', MAGIC.length);
  const header = head.startsWith(MAGIC) && end > 0 ? parse(head.slice(MAGIC.length, end)) : null;
  let start = new Blob([head.slice(0, end + 1)]).size;
  const valid = isHeader(header);
  const total = valid
    ? header.files.reduce(
        (/** @type {number} */ sum, /** @type {Entry} */ { bytes }) => sum + bytes,
        start,
      )
    : -1;
  if (total !== file.size) {
    throw new RerankError(
      'model_integrity',
      'The file is no model exported by webrerank, or it is damaged. Export it again.',
      { retryable: false },
    );
  }
  const blobs = header.files.map((/** @type {Entry} */ { path, bytes }) => {
    const blob = file.slice(start, (start += bytes));
    return Object.assign(blob, { name: path });
  });
  const name = wish ?? header.name;
  await addModel(name, blobs, signal, "models.import(file, { name: 'another' })");
  return name;
}

/** @param {any} header */
function isHeader(header) {
  const { name, files } = header ?? {};
  const isName = (/** @type {unknown} */ text) => typeof text === 'string' && PRINTABLE.test(text);
  const isEntry = (/** @type {any} */ entry) =>
    isName(entry?.path) && Number.isSafeInteger(entry.bytes) && entry.bytes >= 0;
  return isName(name) && Array.isArray(files) && files.every(isEntry);
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
