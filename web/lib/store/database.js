/**
 * @file The one IndexedDB database: model files in chunks. A file counts as present only when its
 * manifest is, and that is written last. Without IndexedDB (private modes) everything here
 * answers as if empty, and what is put is not kept.
 */

import { openDB } from '../../vendor/idb.js';

/** What one chunk holds, bytes. The largest that every engine stores (PLATFORM.md 3.3). */
export const CHUNK_BYTES = 16 * 2 ** 20;

/**
 * A whole file (store 'files'), or how far its download is (store 'partials').
 * @typedef {object} Manifest
 * @property {string} key
 * @property {number} bytes of the whole file; 0 if the host did not say
 * @property {string[]} chunks sha256 of each, hex
 * @property {string | null} validator ETag or date of the file; null if the host did not show one
 */

/**
 * What was used to run a model, so that it runs again without network.
 * @typedef {object} ModelRecord
 * @property {string} name what was asked for
 * @property {import('./sources.js').Source} source
 * @property {number} lastUsed milliseconds since 1970
 */

/** @type {Promise<import('idb').IDBPDatabase | null> | null} */
let opening = null;

/** The database, or null where there is none. */
function database() {
  opening ??= openDB('webrerank', 1, {
    upgrade(db) {
      db.createObjectStore('files', { keyPath: 'key' });
      db.createObjectStore('partials', { keyPath: 'key' });
      db.createObjectStore('chunks');
      db.createObjectStore('models', { keyPath: 'name' });
    },
    blocking: (_current, _blocked, event) => {
      /** @type {IDBDatabase} */ (event.target).close(); // another tab brings a newer version
      opening = null;
    },
    terminated: () => (opening = null),
  }).catch(() => null);
  return opening;
}

/** Whether anything can be kept here at all. */
export const isKept = async () => Boolean(await database());

/**
 * @param {'files' | 'partials' | 'models'} store
 * @param {string} key
 * @returns {Promise<any>} undefined if absent or unreadable: eviction is normal
 */
export async function read(store, key) {
  const db = await database();
  return db?.get(store, key).catch(() => undefined);
}

/**
 * @param {'files' | 'partials' | 'models'} store
 * @param {object} record
 * @returns {Promise<boolean>} false if it could not be kept
 */
export function write(store, record) {
  return commit([store], (tx) => tx.objectStore(store).put(record));
}

/**
 * Keep a chunk, and with it how far the download is.
 * @param {Manifest} partial
 * @param {number} index
 * @param {ArrayBuffer} bytes
 */
export function writeChunk(partial, index, bytes) {
  return commit(['partials', 'chunks'], (tx) => {
    tx.objectStore('chunks').put(bytes, [partial.key, index]);
    tx.objectStore('partials').put(partial);
  });
}

/**
 * Put a chunk of a whole file in its place again.
 * @param {string} key
 * @param {number} index
 * @param {ArrayBuffer} bytes
 */
export function writeChunkAgain(key, index, bytes) {
  return commit(['chunks'], (tx) => tx.objectStore('chunks').put(bytes, [key, index]));
}

/**
 * @param {string} key
 * @param {number} index
 * @returns {Promise<ArrayBuffer | undefined>}
 */
export async function readChunk(key, index) {
  const db = await database();
  return db?.get('chunks', [key, index]).catch(() => undefined);
}

/**
 * The commit: from now on the file counts as present.
 * @param {Manifest} manifest
 */
export function commitFile(manifest) {
  return commit(['files', 'partials'], (tx) => {
    tx.objectStore('files').put(manifest);
    tx.objectStore('partials').delete(manifest.key);
  });
}

/**
 * Forget a file, whole or not.
 * @param {string} key
 */
export function removeFile(key) {
  return commit(['files', 'partials', 'chunks'], (tx) => {
    tx.objectStore('files').delete(key);
    tx.objectStore('partials').delete(key);
    tx.objectStore('chunks').delete(IDBKeyRange.bound([key, 0], [key, Infinity]));
  });
}

/**
 * @param {'files' | 'partials' | 'models'} store
 * @returns {Promise<any[]>}
 */
export async function readAll(store) {
  const db = await database();
  return (await db?.getAll(store).catch(() => [])) ?? [];
}

/**
 * @param {'models'} store
 * @param {string} key
 */
export const remove = (store, key) => commit([store], (tx) => tx.objectStore(store).delete(key));

/** Forget everything that is webrerank's. */
export function clear() {
  const stores = ['files', 'partials', 'chunks', 'models'];
  return commit(stores, (tx) => {
    for (const store of stores) tx.objectStore(store).clear();
  });
}

/**
 * Run one transaction. A failure (quota above all) is an answer, not an error: ranking goes on
 * from memory.
 * @param {string[]} stores
 * @param {(tx: any) => void} work must not await anything but the transaction
 * @returns {Promise<boolean>} whether it was committed
 */
async function commit(stores, work) {
  const db = await database();
  if (!db) return false;
  try {
    const tx = db.transaction(stores, 'readwrite', { durability: 'relaxed' });
    work(tx);
    await tx.done;
    return true;
  } catch {
    return false;
  }
}
