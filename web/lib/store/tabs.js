/**
 * @file How tabs keep out of each other's way: who works with the store, and who downloads a file.
 * Must: nobody waits for ever. A tab that is frozen keeps its locks, so all waits are bounded, and
 * after them the work is done without; at worst something is downloaded twice. Where there are no
 * locks (plain http, blocked site data) it is the same.
 */

import { PATIENCE_MS, SilenceClock, withinTime } from '../patience.js';

/** How often a tab that downloads, or waits, gives a sign of it, ms. */
const SIGN_MS = PATIENCE_MS.otherTab / 5;

const STORE_LOCK = 'webrerank:store';

/** @type {Promise<LockManager | null> | null} */
let found = null;

/** The locks of this origin; null where they are refused or do not answer. */
function lockManager() {
  found ??= findLocks();
  return found;
}

async function findLocks() {
  try {
    const { locks } = navigator;
    await withinTime(locks.query(), PATIENCE_MS.storage, () => new Error('no answer'));
    return locks;
  } catch {
    return null;
  }
}

/** @returns {BroadcastChannel | null} */
function openChannel() {
  try {
    return new BroadcastChannel('webrerank');
  } catch {
    return null;
  }
}

/**
 * Work with the store: nothing is swept meanwhile.
 * @template T
 * @param {AbortSignal} signal
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function atWork(signal, work) {
  const locks = await lockManager();
  if (!locks) return work();
  const clock = { patienceMs: PATIENCE_MS.storage, signal };
  return requestLock(locks, STORE_LOCK, { ...clock, mode: 'shared' }, work);
}

/**
 * Do something only if no tab works with the store.
 * @param {() => Promise<unknown>} work
 * @returns {Promise<void>}
 */
export async function whenNobodyWorks(work) {
  const locks = await lockManager();
  if (!locks) return; // nobody knows: it stays until another visit
  const ask = locks.request(STORE_LOCK, { ifAvailable: true }, (lock) => (lock ? work() : null));
  await withinTime(ask, 2 * PATIENCE_MS.storage, () => new Error('no answer')).catch(() => {});
}

/**
 * One tab at a time downloads a file; the others find it in the database afterwards.
 * @template T
 * @param {string} key of the file
 * @param {{ signal: AbortSignal, tell: () => void }} options tell: called while another is waited for
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function alone(key, { signal, tell }, work) {
  const channel = openChannel();
  const telling = setInterval(tell, SIGN_MS);
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let signs;
  const start = () => {
    clearInterval(telling);
    signs = setInterval(() => channel?.postMessage(key), SIGN_MS);
    return work();
  };
  try {
    const locks = await lockManager();
    if (!locks) return await start();
    const options = { mode: /** @type {const} */ ('exclusive'), signal, channel };
    const patienceMs = PATIENCE_MS.otherTab;
    return await requestLock(locks, `webrerank:${key}`, { ...options, patienceMs, key }, start);
  } finally {
    clearInterval(telling);
    clearInterval(signs);
    channel?.close();
  }
}

/**
 * Work under a lock, or without it once it was not granted in time. A sign of its holder starts
 * the time anew.
 * @template T
 * @param {LockManager} locks
 * @param {string} name
 * @param {object} options
 * @param {LockMode} options.mode
 * @param {AbortSignal} options.signal
 * @param {number} options.patienceMs
 * @param {BroadcastChannel | null} [options.channel] where the holder gives signs
 * @param {string} [options.key] of the signs
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function requestLock(locks, name, { mode, signal, patienceMs, channel, key }, work) {
  const waiting = new AbortController();
  const clock = new SilenceClock(() => waiting.abort());
  let granted = false;
  clock.start(patienceMs);
  if (channel) {
    channel.onmessage = ({ data }) => {
      if (data === key && !granted) clock.start(patienceMs);
    };
  }
  try {
    const stop = AbortSignal.any([signal, waiting.signal]);
    return await locks.request(name, { mode, signal: stop }, () => {
      granted = true;
      clock.stop();
      return work();
    });
  } catch (error) {
    if (granted || signal.aborted) throw error;
    return work();
  } finally {
    clock.stop();
  }
}
