/** @file The ranking, best first, or a word that there is none yet. */

import { byId } from './by-id.js';
import { resultItem } from './result-item.js';
import { isSame, StaleNotice } from './stale-notice.js';

/** @import { RankingRequest, Result } from './types.js' */

export class ResultList {
  #list = byId('results', HTMLOListElement);
  #empty = byId('empty', HTMLElement);
  #title = byId('results-title', HTMLElement);
  #stale = new StaleNotice();
  /** @type {RankingRequest | null} what the ranking is of */
  #ranked = null;

  /**
   * @param {Result[]} results
   * @param {RankingRequest} ranked as it was sent; `index` counts its documents
   */
  show(results, ranked) {
    this.#ranked = results.length ? ranked : null;
    this.#list.replaceChildren(
      ...results.map((result, place) =>
        resultItem(result, place + 1, ranked.documents[result.index] ?? ''),
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

  /**
   * Nobody may take an old ranking for the answer to a new question.
   *
   * @param {RankingRequest} now what stands in the fields
   */
  compare(now) {
    const ranked = this.#ranked;
    const stale = ranked !== null && !isSame(ranked, now);
    this.#list.classList.toggle('is-stale', stale);
    if (stale) this.#stale.show(ranked, now);
    else this.#stale.hide();
  }

  /** On a phone the results lie below the fold, where nobody would see them appear. */
  #bringIntoView() {
    if (this.#title.getBoundingClientRect().top < window.innerHeight * 0.75) return;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#title.scrollIntoView({ behavior: calm ? 'auto' : 'smooth', block: 'start' });
  }
}
