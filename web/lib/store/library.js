/** @file What is stored, seen as models: list, remove, add from disk, export and import. */

import { RerankError } from '../errors.js';
import { catalogueSource, readCatalogue } from './catalogue.js';
import {
  CHUNK_BYTES,
  clear,
  isKept,
  read,
  readAll,
  removeFile,
  remove as removeRecord,
} from './database.js';
import { storeBlob } from './download.js';
import { remember } from './open.js';
import { diskSource } from './sources.js';
import { readStored } from './stored.js';

/** @typedef {import('./sources.js').Source} Source */
/** @typedef {import('../../webrerank.js').ModelInfo} ModelInfo */

/** First bytes of an exported model: a name, and the version of the form. */
const MAGIC = 'webrerank-model-1\n';

/** Fields of a catalogue entry that say where its files are. */
const INTERNAL = ['folder', 'revision', 'files', 'models'];

/** What names and paths of an export may be: people name their models as they like. */
const PRINTABLE = /^\P{Cc}{1,200}$/u;

/** An export's header is a list of files, not a book, bytes. */
const MOST_HEADER_BYTES = 2 ** 20;

/**
 * The catalogue's models, and all others that were used; each with what is stored of it.
 * @param {AbortSignal} signal
 * @returns {Promise<ModelInfo[]>}
 */
export async function listModels(signal) {
  // Without network, what is stored is listed all the same.
  const entries = await readCatalogue(signal).catch(() => []);
  /** @type {import('./database.js').ModelRecord[]} */
  const records = await readAll('models');
  /** @type {Map<string, number>} */
  const stored = new Map((await readAll('files')).map(({ key, bytes }) => [key, bytes]));
  const used = new Map(records.map((record) => [record.name, record]));
  const known = entries.map((entry) => {
    const about = Object.entries(entry).filter(([name]) => !INTERNAL.includes(name));
    const source = catalogueSource(entry);
    const state = storedOf(source, stored, used.get(entry.id));
    return { ...Object.fromEntries(about), id: entry.id, ...state };
  });
  const ids = new Set(entries.map(({ id }) => id));
  const others = records
    .filter(({ name }) => !ids.has(name))
    .map((record) => ({ id: record.name, ...storedOf(record.source, stored, record) }));
  return [...known, ...others];
}

/**
 * @param {Source} source
 * @param {Map<string, number>} stored bytes by key
 * @param {import('./database.js').ModelRecord} [record]
 */
function storedOf(source, stored, record) {
  // The source that was used, if any: a folder's files are known only then.
  const files = Object.values({ ...source.files, ...record?.source.files });
  const bytes = files.reduce((sum, { key }) => sum + (stored.get(key) ?? 0), 0);
  const dtypes = Object.entries(source.models).map(([dtype, path]) => {
    const keys = [keyOf(source, path), record ? keyOf(record.source, path) : ''];
    const isStored = keys.some((key) => stored.has(key));
    return [dtype, { bytes: source.files[path]?.bytes ?? 0, stored: isStored }];
  });
  return {
    dtypes: Object.fromEntries(dtypes),
    storedBytes: bytes,
    lastUsed: record ? new Date(record.lastUsed) : null,
  };
}

/**
 * @param {Source} source
 * @param {string} path
 */
const keyOf = (source, path) =>
  source.files[path]?.key ?? (source.base ? new URL(path, source.base).href : '');

/** Bytes of all that is stored, broken-off downloads included; shared files count once. */
export async function storedBytes() {
  const whole = (await readAll('files')).map(({ bytes }) => bytes);
  const begun = (await readAll('partials')).map(({ chunks }) => chunks.length * CHUNK_BYTES);
  return [...whole, ...begun].reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * Remove one model, or all. Files that another model shares stay.
 * @param {string | undefined} name
 * @param {AbortSignal} signal
 */
export async function removeModels(name, signal) {
  if (name === undefined) return mustBeGone(await clear());
  /** @type {import('./database.js').ModelRecord[]} */
  const records = await readAll('models');
  const entry = (await readCatalogue(signal).catch(() => [])).find(({ id }) => id === name);
  const own = [
    ...records.filter((record) => record.name === name).map((record) => record.source),
    ...(entry ? [catalogueSource(entry)] : []),
  ];
  const shared = new Set(
    records.filter((record) => record.name !== name).flatMap(({ source }) => keysOf(source)),
  );
  const keys = new Set(own.flatMap(keysOf));
  for (const key of keys) if (!shared.has(key)) await mustBeGone(await removeFile(key));
  await mustBeGone(await removeRecord('models', name));
}

/** @param {boolean} removed false too where there is no database, and so nothing to remove */
async function mustBeGone(removed) {
  if (removed || !(await isKept())) return;
  throw new RerankError('model_load', 'The browser did not remove the model. Try again.');
}

/** @param {Source} source */
const keysOf = (source) => Object.values(source.files).map(({ key }) => key);

/**
 * Keep files from disk under a name.
 * @param {string} name
 * @param {Blob[]} blobs
 * @param {AbortSignal} signal
 */
export async function addModel(name, blobs, signal) {
  // Keys of its own: a model of this name stays whole until the new one is.
  const source = diskSource(name, blobs, `added:${name}:${Date.now()}/`);
  for (const spec of Object.values(source.files)) {
    const kept = await storeBlob(spec, signal);
    if (!kept) {
      for (const key of keysOf(source)) await removeFile(key);
      throw new RerankError(
        'model_load',
        'There is not enough room on this device to keep the model. Remove another, or use its ' +
          'files without keeping them.',
      );
    }
    delete spec.blob;
  }
  if ((await readAll('models')).some((record) => record.name === name)) {
    await removeModels(name, signal);
  }
  if (await remember(name, source)) return;
  for (const key of keysOf(source)) await removeFile(key);
  throw new RerankError('model_load', 'The browser did not keep the model. Try again.');
}

/**
 * A stored model as one file: a header, then the files as they are. No compression, so nothing
 * has to be held in memory, and nothing can expand when it is read.
 * @param {string} name
 * @param {AbortSignal} signal
 */
export async function exportModel(name, signal) {
  const record = await read('models', name);
  const files = [];
  for (const spec of Object.values(record?.source.files ?? {})) {
    const blob = await readStored(spec, signal, () => {});
    if (blob) files.push({ path: spec.path, blob });
  }
  if (!files.length) {
    throw new RerankError('invalid_request', 'This model is not stored here. Load it first.');
  }
  const list = files.map(({ path, blob }) => ({ path, bytes: blob.size }));
  const header = JSON.stringify({ name, files: list });
  return new Blob([MAGIC, `${header}\n`, ...files.map(({ blob }) => blob)]);
}

/**
 * Inverse of exportModel.
 * @param {Blob} file from a stranger: nothing in it is believed unchecked
 * @param {AbortSignal} signal
 * @returns {Promise<string>} the model's name
 */
export async function importModel(file, signal) {
  const head = await file.slice(0, MAGIC.length + MOST_HEADER_BYTES).text();
  const end = head.indexOf('\n', MAGIC.length);
  const header = head.startsWith(MAGIC) && end > 0 ? parse(head.slice(MAGIC.length, end)) : null;
  const { name, files } = header ?? {};
  const valid =
    typeof name === 'string' &&
    PRINTABLE.test(name) &&
    Array.isArray(files) &&
    files.every(
      (entry) =>
        typeof entry?.path === 'string' &&
        PRINTABLE.test(entry.path) &&
        Number.isSafeInteger(entry.bytes) &&
        entry.bytes >= 0,
    );
  let start = new Blob([head.slice(0, end + 1)]).size;
  const total = valid ? files.reduce((sum, { bytes }) => sum + bytes, start) : -1;
  if (total !== file.size) {
    throw new RerankError(
      'model_integrity',
      'The file is no model exported by webrerank, or it is damaged. Export it again.',
    );
  }
  const blobs = files.map((/** @type {{ path: string, bytes: number }} */ { path, bytes }) => {
    const blob = file.slice(start, (start += bytes));
    return Object.assign(blob, { name: path });
  });
  await addModel(name, blobs, signal);
  return name;
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
