/** @file The known models: a list to choose from, and what there is to know of the one chosen. */

import { byId } from './by-id.js';
import { element } from './element.js';
import { aboutWords, isStored, optionWords } from './model-words.js';

/** @import { ModelInfo } from './types.js' */

export class ModelPicker {
  #list = byId('model-list', HTMLSelectElement);
  #about = byId('model-about', HTMLElement);
  #use = byId('model-use', HTMLButtonElement);
  /** @type {Map<string, ModelInfo>} */
  #infos = new Map();
  /** The model in use. */
  #used = '';
  /** What is to be picked, as soon as the list has it. */
  #wish = '';

  /** @param {(id: string) => void} onUse */
  constructor(onUse) {
    this.#list.addEventListener('change', () => this.#show());
    this.#use.addEventListener('click', () => {
      if (this.#use.getAttribute('aria-disabled') !== 'true') onUse(this.#list.value);
    });
  }

  /** @param {ModelInfo[]} infos */
  show(infos) {
    const picked = this.#list.value;
    this.#infos = new Map(infos.map((info) => [info.id, info]));
    this.#list.replaceChildren(
      ...group('On this device', infos.filter(isStored)),
      ...group(
        'To download',
        infos.filter((info) => !isStored(info)),
      ),
    );
    this.pick(this.#infos.has(this.#wish) ? this.#wish : picked);
  }

  /** @param {string} id */
  pick(id) {
    const known = this.#infos.has(id);
    if (known) this.#list.value = id;
    this.#wish = known ? '' : id;
    this.#show();
  }

  /** @param {string} id the model in use */
  used(id) {
    if (id === this.#used) return;
    this.#used = id;
    this.pick(id);
  }

  #show() {
    const info = this.#infos.get(this.#list.value);
    const isUsed = info?.id === this.#used;
    this.#use.setAttribute('aria-disabled', String(isUsed || !info));
    this.#use.textContent = isUsed ? 'In use' : 'Use this model';
    if (!info) return this.#about.replaceChildren();
    const { sentence, facts } = aboutWords(info);
    this.#about.replaceChildren(
      element('p', '', sentence),
      element('p', 'quiet', facts.join(' · ')),
    );
  }
}

/**
 * @param {string} label
 * @param {ModelInfo[]} infos
 */
function group(label, infos) {
  if (!infos.length) return [];
  const made = element('optgroup', '');
  made.label = label;
  for (const info of infos) {
    const option = element('option', '', optionWords(info));
    option.value = info.id;
    made.append(option);
  }
  return [made];
}
