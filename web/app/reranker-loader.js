/**
 * @file The one reranker of the page. Another model takes its place when that is chosen.
 *
 * Must: the reranker before stays until the new model's files are here, so that a download that
 * fails or is cancelled costs nothing; from then on it is gone, since two may not fit the memory.
 */

import { createReranker } from '../webrerank.js';
import { BUNDLED } from './model-choice.js';

/** @import { Keeping, LoadProgress, ModelChoice, ModelInUse, Reranker } from './types.js' */

export class RerankerLoader {
  /** @type {{ choice: ModelChoice, reranker: Reranker, keeping: Keeping } | null} */
  #ready = null;
  /** @type {ModelChoice | null} the last that loaded */
  #worked = null;
  #choice;

  /** @param {ModelChoice} choice */
  constructor(choice) {
    this.#choice = choice;
  }

  /** True if the model that was chosen last is here. */
  get loaded() {
    return this.#ready?.choice === this.#choice;
  }

  /** True once any model was here. */
  get hasWorked() {
    return this.#worked !== null;
  }

  /** @returns {ModelInUse} */
  get inUse() {
    return { choice: this.#choice, keeping: this.loaded ? (this.#ready?.keeping ?? null) : null };
  }

  /** @param {ModelChoice} choice what `load` is to load from now on */
  choose(choice) {
    this.#choice = choice;
  }

  /**
   * Give up the choice for one that is known to work.
   *
   * @returns {ModelChoice | null} null if there is none but the choice itself
   */
  fallBack() {
    const before = this.#worked ?? BUNDLED;
    if (before.model === this.#choice.model) return null;
    this.#choice = before;
    return before;
  }

  /**
   * One call at a time.
   *
   * @param {AbortSignal} signal
   * @param {(event: LoadProgress) => void} onProgress
   * @returns {Promise<Reranker>}
   */
  async load(signal, onProgress) {
    if (this.#ready && this.loaded) return this.#ready.reranker;
    const choice = this.#choice;
    const { model } = choice;
    let loading = true; // a reranker that starts anew after a crash tells of its progress too
    const reranker = await createReranker({
      model,
      signal,
      onProgress: (event) => {
        if (signal.aborted || !loading) return;
        if (event.phase === 'load') this.#free();
        onProgress(event);
      },
    });
    loading = false;
    this.#free();
    const notSaved = typeof model === 'string' ? 'no-room' : 'from-files';
    this.#ready = { choice, reranker, keeping: reranker.saved ? 'saved' : notSaved };
    this.#worked = choice;
    return reranker;
  }

  /** @param {ModelChoice} choice the name under which the model in use, from files, is kept by now */
  keptAs(choice) {
    if (!this.#ready || !this.loaded) return;
    this.#ready = { ...this.#ready, choice, keeping: 'saved' };
    this.#choice = this.#worked = choice;
  }

  /**
   * Models come and go while one of them is in use.
   *
   * @param {Set<string>} names of all that are on this device
   */
  stored(names) {
    if (!this.#ready || typeof this.#ready.choice.model !== 'string') return;
    if (names.has(this.#ready.choice.model)) this.#ready.keeping = 'saved';
    else if (this.#ready.keeping === 'saved') this.#ready.keeping = 'removed';
  }

  #free() {
    void this.#ready?.reranker.dispose();
    this.#ready = null;
  }
}
