/** @file Keeping a model that was opened from files, under a name of the user's. */

import { byId } from './by-id.js';

export class ModelKeep {
  #form = byId('model-keep', HTMLFormElement);
  #name = byId('model-keep-name', HTMLInputElement);

  /** @param {(name: string) => string | null} onKeep gives a complaint if the name will not do */
  constructor(onKeep) {
    this.#name.addEventListener('input', () => this.#name.removeAttribute('aria-invalid'));
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (onKeep(this.#name.value.trim()) === null) return;
      this.#name.setAttribute('aria-invalid', 'true');
      this.#name.focus();
    });
  }

  /** @param {string} name a first idea */
  offer(name) {
    if (this.#form.hidden) this.#name.value = name;
    this.#form.hidden = false;
  }

  /** @param {HTMLElement} next where the focus goes if it was here */
  withdraw(next) {
    if (this.#form.contains(document.activeElement)) next.focus();
    this.#form.hidden = true;
  }
}
