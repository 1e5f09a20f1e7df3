/** @file The one reranker of the page: made once, and tried again after a failure. */

/** @import { Reranker } from './types.js' */

export class RerankerLoader {
  /** @type {Promise<Reranker> | null} */
  #loading = null;
  #loaded = false;
  #create;

  /** @param {(signal: AbortSignal) => Promise<Reranker>} create */
  constructor(create) {
    this.#create = create;
  }

  /** True once the model is here; it stays. */
  get loaded() {
    return this.#loaded;
  }

  /**
   * @param {AbortSignal} signal stops the loading, if this call is the one that starts it
   * @returns {Promise<Reranker>}
   */
  load(signal) {
    this.#loading ??= this.#create(signal).then(
      (reranker) => {
        this.#loaded = true;
        return reranker;
      },
      (error) => {
        this.#loading = null; // a failure that is remembered cannot be retried
        throw error;
      },
    );
    return this.#loading;
  }
}
