/** @file The words above a ranking that is not of what stands in the fields. */

import { byId } from './by-id.js';
import { element } from './element.js';

/** @import { RankingRequest } from './types.js' */

export class StaleNotice {
  #notice = byId('stale', HTMLElement);

  /**
   * @param {RankingRequest} ranked
   * @param {RankingRequest} now
   */
  show(ranked, now) {
    const ofQuery = ['Ranking of the earlier query: ', element('bdi', '', ranked.query)];
    const ofDocuments = ['Ranking of the earlier documents, before they were changed.'];
    this.#notice.replaceChildren(...(ranked.query === now.query ? ofDocuments : ofQuery));
    this.#notice.hidden = false;
  }

  hide() {
    this.#notice.hidden = true;
    this.#notice.replaceChildren(); // it describes the list, hidden or not
  }
}

/**
 * @param {RankingRequest} one
 * @param {RankingRequest} other
 */
export function isSame(one, other) {
  const { length } = one.documents;
  if (one.query !== other.query || length !== other.documents.length) return false;
  return one.documents.every((document, place) => document === other.documents[place]);
}
