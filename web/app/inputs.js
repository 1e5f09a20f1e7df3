/** @file The form: query, documents, the two buttons, and the keys that stand for them. */

import { byId } from './by-id.js';
import { count } from './number-words.js';
import { separationWords, splitDocuments } from './split-documents.js';

/** @import { RankingRequest } from './types.js' */

export class Inputs {
  #query = byId('query', HTMLInputElement);
  #documents = byId('documents', HTMLTextAreaElement);
  #count = byId('document-count', HTMLElement);
  #rerank = byId('rerank', HTMLButtonElement);
  #cancel = byId('cancel', HTMLButtonElement);

  /**
   * @param {object} handlers the first two are called only while the button in question is on
   * @param {() => void} handlers.onRerank
   * @param {() => void} handlers.onCancel
   * @param {(values: RankingRequest) => void} handlers.onChange
   */
  constructor({ onRerank, onCancel, onChange }) {
    const rerank = () => isOn(this.#rerank) && onRerank();
    const cancel = () => isOn(this.#cancel) && onCancel();
    byId('form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      rerank();
    });
    this.#cancel.addEventListener('click', cancel);
    document.addEventListener('keydown', (event) => {
      if (event.isComposing || event.repeat) return;
      if (event.key === 'Escape') cancel();
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault(); // or the query field submits the form as well
      rerank();
    });
    for (const field of [this.#query, this.#documents]) {
      field.addEventListener('input', () => {
        field.removeAttribute('aria-invalid');
        const values = this.read();
        if (field === this.#documents) this.#showCount(values);
        onChange(values);
      });
    }
    this.#showCount(this.read());
  }

  /** @returns {RankingRequest} */
  read() {
    return { query: this.#query.value.trim(), documents: splitDocuments(this.#documents.value) };
  }

  /**
   * Point at the first field that must be filled in, if any.
   *
   * @param {RankingRequest} values
   * @returns {string | null} what to do, in words
   */
  complain({ query, documents }) {
    if (query === '')
      return refuse(this.#query, 'Write a query first: what should the best document answer?');
    if (documents.length === 0)
      return refuse(this.#documents, 'Add some documents first, one per line.');
    return null;
  }

  /** @param {{ canRerank: boolean, canCancel: boolean }} state */
  setButtons({ canRerank, canCancel }) {
    this.#rerank.setAttribute('aria-disabled', String(!canRerank));
    this.#cancel.setAttribute('aria-disabled', String(!canCancel));
  }

  /** @param {RankingRequest} values */
  #showCount({ documents }) {
    const how = documents.length > 1 ? `, ${separationWords(this.#documents.value)}` : '';
    this.#count.textContent = count(documents.length, 'document') + how;
  }
}

/** @param {HTMLButtonElement} button */
function isOn(button) {
  return button.getAttribute('aria-disabled') !== 'true';
}

/**
 * @param {HTMLElement} field
 * @param {string} words
 */
function refuse(field, words) {
  field.setAttribute('aria-invalid', 'true');
  field.focus();
  return words;
}
