/** @file The ranking, best first, or a word that there is none yet. */

import { byId } from './by-id.js';
import { resultItem } from './result-item.js';

/** @import { Result } from './types.js' */

export class ResultList {
  #list = byId('results', HTMLOListElement);
  #empty = byId('empty', HTMLElement);
  #title = byId('results-title', HTMLElement);

  /**
   * @param {Result[]} results
   * @param {string[]} documents as they were sent, by `index`
   */
  show(results, documents) {
    this.#list.replaceChildren(
      ...results.map((result, place) =>
        resultItem(result, place + 1, documents[result.index] ?? ''),
      ),
    );
    this.#list.hidden = results.length === 0;
    this.#empty.hidden = results.length > 0;
    this.#bringIntoView();
  }

  /** @param {boolean} busy dims the ranking that is about to be replaced */
  setBusy(busy) {
    this.#list.ariaBusy = String(busy);
  }

  /** On a phone the results lie below the fold, where nobody would see them appear. */
  #bringIntoView() {
    if (this.#title.getBoundingClientRect().top < window.innerHeight * 0.75) return;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#title.scrollIntoView({ behavior: calm ? 'auto' : 'smooth', block: 'start' });
  }
}
