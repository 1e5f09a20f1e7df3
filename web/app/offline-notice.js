/** @file Whether the page works offline by now, and whether there is an update. Said quietly. */

import { byId } from './by-id.js';
import { element } from './element.js';

export class OfflineNotice {
  #offline = byId('offline', HTMLElement);
  #update = byId('update', HTMLElement);
  #modelIsHere = false;
  #siteIsKept = false;

  modelIsHere() {
    this.#modelIsHere = true;
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
    if (this.#modelIsHere && this.#siteIsKept) this.#offline.textContent = 'Ready to work offline.';
  }
}
