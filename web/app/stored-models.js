/** @file The models on this device: what each takes up, and ways to export and to remove it. */

import { byId } from './by-id.js';
import { confirmButton } from './confirm-button.js';
import { element } from './element.js';
import { isStored, storedWords } from './model-words.js';
import { count } from './number-words.js';

/** @import { ModelInfo } from './types.js' */

export class StoredModels {
  #list = byId('model-stored', HTMLUListElement);
  #removeAll = byId('model-remove-all', HTMLElement);
  #title = byId('model-stored-title', HTMLElement);
  #handlers;

  /** @param {{ onExport: (id: string) => void, onRemove: (id?: string) => void }} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** @param {ModelInfo[]} infos */
  show(infos) {
    const hadFocus = [this.#list, this.#removeAll].some((part) =>
      part.contains(document.activeElement),
    );
    const stored = infos.filter(isStored);
    const items = stored.map((info) => this.#item(info));
    const none = element('li', 'quiet', 'No model is kept on this device.');
    this.#list.replaceChildren(...(items.length ? items : [none]));
    this.#removeAll.replaceChildren(...(items.length ? [this.#removeAllButton(items.length)] : []));
    if (hadFocus) this.#title.focus(); // what had it is gone
  }

  /** @param {ModelInfo} info */
  #item(info) {
    const { onExport, onRemove } = this.#handlers;
    const item = element('li', 'models-item');
    const about = element('div', 'models-item-about');
    about.append(
      element('p', 'models-item-name', info.id),
      element('p', 'quiet', storedWords(info)),
    );
    const toFile = element('button', '', 'Export');
    toFile.type = 'button';
    toFile.ariaLabel = `Export ${info.id} to a file`;
    toFile.addEventListener('click', () => onExport(info.id));
    const remove = confirmButton({
      label: 'Remove',
      spoken: `Remove ${info.id}`,
      question: 'Remove it from this device?',
      yes: 'Remove',
      onYes: () => onRemove(info.id),
    });
    const actions = element('div', 'models-buttons');
    actions.append(toFile, remove);
    item.append(about, actions);
    return item;
  }

  /** @param {number} number */
  #removeAllButton(number) {
    return confirmButton({
      label: 'Remove all',
      spoken: 'Remove all models',
      question: `Remove ${number === 1 ? 'the model' : `all ${count(number, 'model')}`} from this device?`,
      yes: 'Remove all',
      onYes: () => this.#handlers.onRemove(),
    });
  }
}
