/** @file Load progress as the page sees it: phases in order, bytes that never fall. */

import { notify } from './abort.js';

/** @typedef {import('../webrerank.js').LoadProgress} LoadProgress */

const PHASES = ['runtime', 'download', 'verify', 'load', 'warmup'];

export class LoadProgressMeter {
  /** @type {LoadProgress} */
  #last = { phase: 'runtime', loadedBytes: 0, totalBytes: 0, file: null, fromCache: false };
  #onProgress;

  /** @param {((progress: LoadProgress) => void) | undefined} onProgress */
  constructor(onProgress) {
    this.#onProgress = onProgress;
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
  model = (progress) => this.#tell(progress);

  /** @param {LoadProgress['phase']} phase */
  phase(phase) {
    this.#tell({ phase, file: null });
  }

  done() {
    this.#tell({ loadedBytes: this.#last.totalBytes });
  }

  /** @param {Partial<LoadProgress>} change */
  #tell(change) {
    const next = { ...this.#last, ...change };
    if (PHASES.indexOf(next.phase) < PHASES.indexOf(this.#last.phase)) return;
    next.totalBytes = Math.max(next.totalBytes, this.#last.totalBytes);
    next.loadedBytes = Math.max(next.loadedBytes, this.#last.loadedBytes);
    this.#last = next;
    notify(this.#onProgress, { ...next });
  }
}
