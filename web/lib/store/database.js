/**
 * @file The one IndexedDB database, and how it is asked: every request is bounded in time, and a
 * failure is an answer. Without IndexedDB (blocked site data, private modes, storage that never
 * answers) everything here answers as if empty, and what is put is not kept.
 *
 * Stores: `files` (a file by the sha256 of its content, and where its bytes lie), `chunks` (those
 * bytes), `partials` (downloads under way or broken off), `releases` (what a name stands for).
 */

import { openDB } from '../../vendor/idb.js';
import { PATIENCE_MS, withinTime } from '../patience.js';
import { isSound } from './records.js';

/** @typedef {'files' | 'partials' | 'chunks' | 'releases'} StoreName */

/** @type {Record<StoreName, string | undefined>} the property that a record is found by */
const KEYS = { files: 'sha256', partials: 'id', chunks: undefined, releases: 'name' };

/** All stores, for what concerns them all. */
export const STORES = /** @type {StoreName[]} */ (Object.keys(KEYS));

/** Version 1 knew files by their address. Its records are dropped: it was never published. */
const VERSION = 2;

/** @type {Promise<import('idb').IDBPDatabase | null> | null} */
let opening = null;

/** What a request rejects with that was never answered. */
const SILENT = new Error('The storage of this browser does not answer.');
const silent = () => SILENT;

/** The database, or null where there is none. */
function database() {
  opening ??= openBounded();
  return opening;
}

async function openBounded() {
  // Where site data is blocked, even to read `indexedDB` may throw.
  const db = Promise.resolve().then(() =>
    openDB('webrerank', VERSION, {
      upgrade,
      blocking: (_current, _blocked, event) => {
        /** @type {IDBDatabase} */ (event.target).close(); // another tab brings a newer version
        opening = null;
      },
      terminated: () => (opening = null),
    }),
  );
  try {
    return await withinTime(db, PATIENCE_MS.storage, silent);
  } catch {
    db.then((late) => late.close()).catch(() => {});
    return null;
  }
}

/** @param {import('idb').IDBPDatabase} db */
function upgrade(db) {
  for (const name of db.objectStoreNames) db.deleteObjectStore(name);
  for (const [name, keyPath] of Object.entries(KEYS)) db.createObjectStore(name, { keyPath });
}

/** Whether anything can be kept here at all. */
export const isKept = async () => Boolean(await database());

/**
 * Read something.
 * @param {(db: import('idb').IDBPDatabase) => Promise<any>} work
 * @returns {Promise<any>} undefined if absent or unreadable: eviction is normal
 */
async function ask(work) {
  const db = await database();
  if (!db) return undefined;
  try {
    return await withinTime(Promise.resolve(db).then(work), PATIENCE_MS.storage, silent);
  } catch (error) {
    giveUpIfSilent(error);
    return undefined;
  }
}

/** @param {StoreName} store @param {IDBValidKey} key */
export async function read(store, key) {
  const record = await ask((db) => db.get(store, key));
  return isSound(store, record) ? record : undefined;
}

/**
 * @param {StoreName} store
 * @returns {Promise<any[]>}
 */
export async function readAll(store) {
  const records = (await ask((db) => db.getAll(store))) ?? [];
  return records.filter((/** @type {any} */ record) => isSound(store, record));
}

/**
 * Change something, all of it or nothing. A failure (quota above all) is an answer, not an error:
 * ranking goes on from memory.
 * @param {StoreName[]} stores
 * @param {(tx: any) => Promise<unknown>} work must await each request before the next, and nothing
 *   else: one that nobody awaits when another throws would be an unhandled rejection
 * @param {number} [patienceMs]
 * @returns {Promise<boolean>} whether it was committed
 */
export async function change(stores, work, patienceMs = PATIENCE_MS.storage) {
  const db = await database();
  if (!db) return false;
  try {
    await withinTime(transact(db, stores, work), patienceMs, silent);
    return true;
  } catch (error) {
    giveUpIfSilent(error);
    return false;
  }
}

/**
 * @param {import('idb').IDBPDatabase} db
 * @param {StoreName[]} stores
 * @param {(tx: any) => Promise<unknown>} work
 */
async function transact(db, stores, work) {
  const tx = db.transaction(stores, 'readwrite', { durability: 'relaxed' });
  const worked = async () => {
    try {
      await work(tx);
    } catch (error) {
      abort(tx); // else what was put before the failure would stay
      throw error;
    }
  };
  await Promise.all([worked(), tx.done]);
}

/** @param {any} tx */
function abort(tx) {
  try {
    tx.abort();
  } catch {
    // It is over already: the failure was its own.
  }
}

/**
 * Storage that did not answer once is asked no more: each question would take as long again.
 * @param {unknown} error
 */
function giveUpIfSilent(error) {
  if (error === SILENT) opening = Promise.resolve(null);
}
