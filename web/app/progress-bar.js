/** @file The one bar, with words above it. Its words are not announced: a screen reader would never stop talking. */

import { byId } from './by-id.js';

/** @import { Progress } from './types.js' */

export class ProgressBar {
  #container = byId('progress', HTMLElement);
  #words = byId('progress-words', HTMLElement);
  #bar = byId('progress-bar', HTMLProgressElement);
  #note = byId('progress-note', HTMLElement);

  /** @param {Progress} state */
  show({ words, fraction, note = '' }) {
    this.#container.hidden = false;
    this.#words.textContent = words;
    this.#bar.value = fraction;
    this.#note.textContent = note;
  }

  hide() {
    this.#container.hidden = true;
  }
}
