/** @file What went wrong and what to do, with a way to try again where that can help. */

import { byId } from './by-id.js';
import { element } from './element.js';

/** @import { Failure } from './types.js' */

export class ErrorNotice {
  #error = byId('error', HTMLElement);
  #onRetry;

  /** @param {() => void} onRetry */
  constructor(onRetry) {
    this.#onRetry = onRetry;
  }

  /** @param {Failure} failure */
  show({ headline, message, retryable }) {
    this.clear();
    if (headline) this.#error.append(element('p', 'error-headline', headline));
    this.#error.append(element('p', 'error-message', message));
    if (retryable) this.#error.append(this.#retryButton());
  }

  get isShown() {
    return this.#error.hasChildNodes();
  }

  clear() {
    this.#error.replaceChildren();
  }

  #retryButton() {
    const button = element('button', '', 'Try again');
    button.id = 'retry';
    button.type = 'button';
    button.addEventListener('click', () => {
      byId('cancel', HTMLButtonElement).focus(); // this button is about to go
      this.#onRetry();
    });
    return button;
  }
}
