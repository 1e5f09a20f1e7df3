/**
 * @file What a model gives for the pairs of lib/gpu-check.js on WebAssembly, by the model's
 * content. In a database of its own, which may be lost at any time: it only saves a check's work.
 */

import { openDB } from '../../vendor/idb.js';
import { PATIENCE_MS, withinTime } from '../patience.js';
import { VERSION } from '../version.js';

/** More models than anyone has; the oldest go. */
const MOST = 32;

/** Of each file of weights so many parts of so many bytes are looked at: other weights differ in all. */
const [PARTS, PART_BYTES] = [16, 2 ** 16];

/** @typedef {[key: string, logits: number[]][]} Kept newest first */

/**
 * A name by content: of the graph whole, of the weights in samples, and of this version, which
 * stands for the runtime's.
 * @param {Blob} graph
 * @param {{ path: string, data: Blob }[]} externalData
 */
export async function digestOf(graph, externalData) {
  const samples = externalData.flatMap(({ path, data }) => [
    `\n${path}\n${data.size}\n`,
    ...Array.from({ length: PARTS }, (_, part) => {
      const start = Math.floor((part * data.size) / PARTS);
      return data.slice(start, start + PART_BYTES);
    }),
  ]);
  const bytes = await new Blob([VERSION, '\n', graph, ...samples]).arrayBuffer();
  const digest = await crypto.subtle.digest('SHA-256', bytes); // WebGPU is in secure contexts only
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * @param {string} key
 * @returns {Promise<number[] | null>} null where nothing is kept
 */
export const keptLogits = (key) =>
  inDatabase(async (db) => {
    const kept = /** @type {Kept | undefined} */ (await db.get('logits', 'kept'));
    return kept?.find(([name]) => name === key)?.[1] ?? null;
  });

/**
 * @param {string} key
 * @param {number[]} logits
 */
export const keepLogits = (key, logits) =>
  inDatabase(async (db) => {
    const { store, done } = db.transaction('logits', 'readwrite');
    const kept = /** @type {Kept} */ ((await store.get('kept')) ?? []);
    const others = kept.filter(([name]) => name !== key);
    await Promise.all([store.put([[key, logits], ...others].slice(0, MOST), 'kept'), done]);
  });

/**
 * @template T
 * @param {(db: import('idb').IDBPDatabase) => Promise<T>} work
 * @returns {Promise<T | null>} null if the storage fails, or does not answer
 */
async function inDatabase(work) {
  const run = async () => {
    const db = await openDB('webrerank-gpu', 1, {
      upgrade: (fresh) => void fresh.createObjectStore('logits'),
    });
    return work(db).finally(() => db.close());
  };
  const late = () => new Error('The storage does not answer.');
  return withinTime(run(), PATIENCE_MS.storage, late).catch(() => null);
}
