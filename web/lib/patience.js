/**
 * @file How long webrerank waits for a sign of life, and how that is counted. All limits of the
 * library and its workers are here.
 *
 * Must: time in which nothing could run (a sleeping laptop, a stopped tab) is no silence; and only
 * what the other end says ends its silence, never what it is sent.
 */

/** The longest silence that is borne, ms. */
export const PATIENCE_MS = Object.freeze({
  /** A worker that has something to answer. */
  worker: 120_000,
  /** The same while it may be silent for minutes: a runtime on a slow line, gigabytes to copy. */
  loading: 15 * 60_000,
  /** One file of a runtime on a slow line. Less than `loading`: the worker knows what is missing. */
  file: 10 * 60_000,
  /** A session that has runs to do, and so much more for each token of the one it was asked for. */
  session: 90_000,
  token: 100,
  /** Another session in place of the last. Less than `worker`: Python is silent meanwhile. */
  replacement: 90_000,
  /** A graphics driver that was asked for an adapter. */
  adapter: 5_000,
  /** The browser's storage: it answers within milliseconds or never. */
  storage: 10_000,
  /** The site, asked for a small file after something went wrong. */
  site: 5_000,
  /** A host that was asked for a file, and sends nothing more. */
  host: 30_000,
  /** The same where a release of the model is stored that can be used instead. */
  hostOfStored: 8_000,
  /** A host that was asked whether a stored model is still its newest. */
  news: 3_000,
  /** Another tab that downloads the same file, and gives no sign of it. */
  otherTab: 15_000,
  /** The longest wait that a busy host may ask for. */
  retryAfter: 30_000,
  /** After a failure: a host that is asked once more, to see what is wrong. */
  look: 10_000,
  /** The same: the browser's word that a Content-Security-Policy was the reason. */
  refusal: 200,
});

/** The pause before work is tried again for the first time; each further one is twice as long. */
export const FIRST_PAUSE_MS = 400;

/** In how many steps a limit is counted. A step that comes late counts as one step. */
const STEPS = 8;

export class SilenceClock {
  #onSilence;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {() => void} onSilence called once the limit is over without a sign of life */
  constructor(onSilence) {
    this.#onSilence = onSilence;
  }

  /**
   * Count anew from now.
   * @param {number} limitMs
   */
  start(limitMs) {
    this.stop();
    let left = STEPS;
    const step = () => {
      if (--left <= 0) return this.#onSilence();
      this.#timer = setTimeout(step, limitMs / STEPS);
    };
    this.#timer = setTimeout(step, limitMs / STEPS);
  }

  stop() {
    clearTimeout(this.#timer);
  }
}

/**
 * The answers that one other end owes. Each has a clock, which starts when it is asked for, and
 * anew with everything the other end says. What is no longer wanted is owed until it is answered:
 * otherwise one who asks and gives up again and again would never learn that nobody answers.
 */
export class OwedAnswers {
  /** @type {Map<number, { clock: SilenceClock, limitMs: number }>} */
  #owed = new Map();
  #onSilence;

  /** @param {(id: number, limitMs: number) => void} onSilence called with what was owed for too long */
  constructor(onSilence) {
    this.#onSilence = onSilence;
  }

  /**
   * @param {number} id
   * @param {number} limitMs how long the other end may say nothing at all
   */
  expect(id, limitMs) {
    const clock = new SilenceClock(() => this.#onSilence(id, limitMs));
    this.#owed.set(id, { clock, limitMs });
    clock.start(limitMs);
  }

  /** The other end said something. */
  heard() {
    for (const { clock, limitMs } of this.#owed.values()) clock.start(limitMs);
  }

  /** @param {number} id what is answered, or was never sent */
  settle(id) {
    this.#owed.get(id)?.clock.stop();
    this.#owed.delete(id);
  }

  /** Nothing more is expected. */
  clear() {
    for (const id of [...this.#owed.keys()]) this.settle(id);
  }
}

/**
 * Settle as the promise does, or reject once the limit is over. The promise's own later rejection
 * is not reported as unhandled.
 * @template T
 * @param {Promise<T>} promise
 * @param {number} limitMs
 * @param {() => unknown} lateError makes what to reject with
 * @returns {Promise<T>}
 */
export function withinTime(promise, limitMs, lateError) {
  return new Promise((resolve, reject) => {
    const clock = new SilenceClock(() => reject(lateError()));
    clock.start(limitMs);
    promise.then(resolve, reject).finally(() => clock.stop());
  });
}
