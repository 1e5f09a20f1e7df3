/** @file What became of something done in the panel, beside the place where it was done. */

import { byId } from './by-id.js';

export class PanelNotice {
  #notice;

  /** @param {string} id */
  constructor(id) {
    this.#notice = byId(id, HTMLElement);
  }

  /** @param {string} words */
  say(words) {
    this.#notice.classList.remove('is-failure');
    this.#notice.textContent = words;
  }

  /** @param {string} words */
  fail(words) {
    this.#notice.classList.add('is-failure');
    this.#notice.textContent = words;
  }
}
