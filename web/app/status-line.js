/** @file What is so, in a line or two; announced politely. */

import { byId } from './by-id.js';
import { element } from './element.js';

/** @import { Words } from './types.js' */

export class StatusLine {
  #status = byId('status', HTMLElement);

  /**
   * @param {Words} words
   * @param {{ spokenOnly?: boolean }} [options] `spokenOnly`: for ears, where the eyes have the progress bar
   */
  show({ headline, detail }, { spokenOnly = false } = {}) {
    this.#status.classList.toggle('visually-hidden', spokenOnly);
    if (this.#status.textContent === headline + (detail ?? '')) return;
    this.#status.replaceChildren(element('p', 'status-headline', headline));
    if (detail) this.#status.append(element('p', 'status-detail quiet', detail));
  }

  clear() {
    this.#status.replaceChildren();
  }
}
