/** @file The field for a model that is in no list: a hub's name, or the address of a folder. */

import { byId } from './by-id.js';

export class ModelAddress {
  #field = byId('model-address', HTMLInputElement);

  /** @param {(text: string) => string | null} onLoad gives a complaint if the text cannot be a model */
  constructor(onLoad) {
    this.#field.addEventListener('input', () => this.#field.removeAttribute('aria-invalid'));
    byId('model-address-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      if (onLoad(this.#field.value) === null) return;
      this.#field.setAttribute('aria-invalid', 'true');
      this.#field.focus();
    });
  }
}
