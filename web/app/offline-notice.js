/** @file Whether the page works offline by now, and whether there is an update. Said quietly. */

import { byId } from './by-id.js';
import { element } from './element.js';

/** @import { Keeping } from './types.js' */

/** Nothing is promised that the next visit could not keep. */
const UNKEPT_WORDS = Object.freeze({
  'no-room': 'Not saved: this device has no room for the model, so it is downloaded each time.',
  'from-files': 'The model is from your files and is not kept for the next visit.',
  removed: 'The model is no longer kept on this device.',
});

export class OfflineNotice {
  #offline = byId('offline', HTMLElement);
  #update = byId('update', HTMLElement);
  /** What the page says before anything is known. */
  #promise = this.#offline.textContent;
  /** @type {Keeping | null} */
  #keeping = null;
  #siteIsKept = false;

  /** @param {Keeping | null} keeping null while the model loads */
  model(keeping) {
    this.#keeping = keeping;
    this.#show();
  }

  siteIsKept() {
    this.#siteIsKept = true;
    this.#show();
  }

  /** @param {() => void} onUpdate */
  updateIsReady(onUpdate) {
    const button = element('button', 'link', 'Reload to use it');
    button.type = 'button';
    button.addEventListener('click', onUpdate);
    this.#update.replaceChildren('An update is ready. ', button);
  }

  otherTabsAreOpen() {
    this.#update.textContent =
      'An update is ready. Close the other tabs of this site, then reload.';
  }

  #show() {
    const words = this.#words();
    if (this.#offline.textContent !== words) this.#offline.textContent = words;
  }

  #words() {
    if (this.#keeping !== null && this.#keeping !== 'saved') return UNKEPT_WORDS[this.#keeping];
    return this.#keeping && this.#siteIsKept ? 'Ready to work offline.' : this.#promise;
  }
}
