/** @file How much room the models take up, and the browser's promise not to clear it. */

import { models } from '../webrerank.js';
import { byId } from './by-id.js';
import { usageWords } from './model-words.js';

export class StorageUse {
  #words = byId('model-storage', HTMLElement);
  #persist = byId('model-persist', HTMLButtonElement);

  /** @param {(words: string) => void} onAnswer */
  constructor(onAnswer) {
    // Asked from the click itself: Firefox asks the user.
    this.#persist.addEventListener('click', async () => {
      const promised = await models.persist().catch(() => false);
      onAnswer(
        promised
          ? 'The browser keeps the models until you remove them.'
          : 'The browser did not agree. It often does later, for sites that are used a lot.',
      );
      await this.refresh();
    });
  }

  async refresh() {
    const usage = await models.usage();
    this.#words.textContent = usageWords(usage);
    if (usage.persisted && document.activeElement === this.#persist) this.#words.focus();
    this.#persist.hidden = usage.persisted || !usage.modelBytes;
  }
}
