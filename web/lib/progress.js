/**
 * @file Load progress as the page sees it: phases in order, bytes that never fall. Where a GPU is
 * not used after all, the phases from 'download' on come once more.
 */

import { notify } from './abort.js';

/** @typedef {import('../webrerank.js').LoadProgress} LoadProgress */

const PHASES = ['runtime', 'download', 'verify', 'load', 'warmup'];

export class LoadProgressMeter {
  /** @type {LoadProgress} */
  #last = { phase: 'runtime', loadedBytes: 0, totalBytes: 0, file: null, fromCache: false };
  /** Bytes of what was loaded for nothing. */
  #before = 0;
  #onProgress;
  #signal;

  /**
   * @param {((progress: LoadProgress) => void) | undefined} onProgress
   * @param {AbortSignal} [signal] after its abort nothing is told
   */
  constructor(onProgress, signal) {
    this.#onProgress = onProgress;
    this.#signal = signal;
    this.#tell({});
  }

  /** The Python worker has booted further; the model's own phases take precedence. */
  runtime = () => {
    if (this.#last.phase === 'runtime') this.#tell({});
  };

  /**
   * The model worker has read further.
   * @param {LoadProgress} progress
   */
  model = (progress) =>
    this.#tell({
      ...progress,
      loadedBytes: this.#before + progress.loadedBytes,
      totalBytes: this.#before + progress.totalBytes,
    });

  /** Another model is loaded in place of the first: its phases come again, and bytes add up. */
  again() {
    this.#before = this.#last.totalBytes;
    this.#last = { ...this.#last, phase: 'download', loadedBytes: this.#before, file: null };
    this.#tell({});
  }

  /** @param {LoadProgress['phase']} phase */
  phase(phase) {
    this.#tell({ phase, file: null });
  }

  done() {
    this.#tell({ loadedBytes: this.#last.totalBytes });
  }

  /** @param {Partial<LoadProgress>} change */
  #tell(change) {
    if (this.#signal?.aborted) return;
    const next = { ...this.#last, ...change };
    if (PHASES.indexOf(next.phase) < PHASES.indexOf(this.#last.phase)) return;
    next.totalBytes = Math.max(next.totalBytes, this.#last.totalBytes);
    next.loadedBytes = Math.max(next.loadedBytes, this.#last.loadedBytes);
    this.#last = next;
    notify(this.#onProgress, { ...next });
  }
}
