/** @file The model panel: knows its parts, which do not know each other, and talks to the store. */

import { models } from '../webrerank.js';
import { byId } from './by-id.js';
import { storingWords } from './failure-words.js';
import { fileButton } from './file-button.js';
import { fileDrop } from './file-drop.js';
import { ModelAddress } from './model-address.js';
import { EXPORT_SUFFIX, freeName, fromFiles, isName, named, typed } from './model-choice.js';
import { ModelKeep } from './model-keep.js';
import { forgetModel } from './model-memory.js';
import { ModelPicker } from './model-picker.js';
import { isStored, KEEPING_WORDS } from './model-words.js';
import { PanelNotice } from './panel-notice.js';
import { saveFile } from './save-file.js';
import { StorageUse } from './storage-use.js';
import { StoredModels } from './stored-models.js';

/** @import { ModelChoice, ModelInUse } from './types.js' */

/**
 * @typedef {object} Handlers
 * @property {(choice: ModelChoice) => void} onChoose
 * @property {() => void} onRefused what was typed cannot be a model
 * @property {(choice: ModelChoice) => void} onKept the files in use have a name by now
 * @property {(names: Set<string>) => void} onListed the models on this device, whenever they are read
 */

export class ModelPanel {
  #panel = byId('model-panel', HTMLDetailsElement);
  #name = byId('model-name', HTMLElement);
  #state = byId('model-state', HTMLElement);
  #other = new PanelNotice('model-other-notice');
  #store = new PanelNotice('model-stored-notice');
  #picker = new ModelPicker((id) => this.#handlers.onChoose(named(id)));
  #keep = new ModelKeep((name) => this.#keepAs(name));
  #stored = new StoredModels({
    onExport: (id) => void this.#export(id),
    onRemove: (id) => void this.#remove(id),
  });
  #storage = new StorageUse((words) => this.#store.say(words));
  #handlers;
  /** @type {Set<string>} */
  #known = new Set();
  /** @type {ModelInUse | null} */
  #inUse = null;
  #busy = false;

  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
    new ModelAddress((text) => this.#load(text));
    fileButton('model-files', (files) => this.#open(files));
    fileButton('model-folder', (files) => this.#open(files));
    fileButton('model-import', ([file]) => file && void this.#import(file));
    fileDrop(this.#panel, (files) => {
      this.#panel.open = true;
      if (files.length) this.#open(files);
      else this.#other.fail('There was no file in what you dropped.');
    });
    this.#panel.addEventListener('toggle', () => this.#panel.open && void this.#refresh());
  }

  /**
   * @param {ModelInUse} inUse
   * @param {boolean} loading
   */
  inUse(inUse, loading) {
    const { choice, keeping } = inUse;
    const loadedNow = keeping !== null && this.#inUse?.keeping === null;
    this.#inUse = inUse;
    this.#name.textContent = choice.name;
    this.#state.textContent = keeping ? KEEPING_WORDS[keeping] : loading ? 'loading' : 'not loaded';
    if (keeping && typeof choice.model === 'string') this.#picker.used(choice.model);
    else if (keeping) this.#picker.used('');
    if (keeping === 'from-files') this.#keep.offer(freeName(choice.name, this.#known));
    else this.#keep.withdraw(byId('model-files', HTMLElement));
    if (loadedNow && this.#panel.open) void this.#refresh();
  }

  /** Read again what is stored. Nothing is read while the panel is closed. */
  async #refresh() {
    try {
      const infos = await models.list();
      this.#known = new Set(infos.map(({ id }) => id));
      this.#picker.show(infos);
      this.#stored.show(infos);
      this.#handlers.onListed(new Set(infos.filter(isStored).map(({ id }) => id)));
      await this.#storage.refresh();
    } catch (error) {
      this.#store.fail(storingWords(error));
    }
  }

  /** @param {string} text */
  #load(text) {
    const choice = typed(text, this.#known, location.href);
    if (!choice) {
      const words = 'Write a name such as owner/name, or an address that starts with https://.';
      this.#other.fail(words);
      this.#handlers.onRefused();
      return words;
    }
    this.#other.say('');
    this.#handlers.onChoose(choice);
    return null;
  }

  /** @param {File[]} files at least one */
  #open(files) {
    const [file] = files;
    if (files.length === 1 && file.name.endsWith(EXPORT_SUFFIX)) return void this.#import(file);
    this.#other.say('');
    this.#handlers.onChoose(fromFiles(files));
  }

  /** @param {string} name */
  #keepAs(name) {
    const model = this.#inUse?.choice.model;
    if (!model || typeof model === 'string') return null;
    const complaint = !isName(name)
      ? 'Write a name of letters a to z, digits, dots and hyphens.'
      : this.#known.has(name) && 'There is a model of this name. Choose another name.';
    if (complaint) this.#other.fail(complaint);
    if (complaint) return complaint;
    void this.#during(this.#other, 'Keeping the model on this device …', async () => {
      await models.add(name, model);
      if (this.#inUse?.choice.model === model) this.#handlers.onKept(named(name));
      return `Kept on this device as ${name}.`;
    });
    return null;
  }

  /** @param {string} id */
  #export(id) {
    return this.#during(this.#store, `Preparing ${id} for download …`, async () => {
      const file = `${id.replace(/[^\w.-]+/g, '-')}${EXPORT_SUFFIX}`;
      saveFile(await models.export(id), file);
      return `Exported as ${file}, among your downloads.`;
    });
  }

  /** @param {File} file */
  #import(file) {
    return this.#during(this.#store, 'Importing the model …', async () => {
      const name = await models.import(file);
      await this.#refresh();
      this.#picker.pick(name);
      return `Imported ${name}. Choose it above to use it.`;
    });
  }

  /** @param {string} [id] all without one */
  #remove(id) {
    return this.#during(this.#store, 'Removing …', async () => {
      await models.remove(id);
      forgetModel(id); // or the next visit would download it again
      const inUse = id === undefined || id === this.#inUse?.choice.name;
      const stays = inUse ? ' The model in use stays until you leave the page.' : '';
      return `${id === undefined ? 'All models were removed.' : `${id} was removed.`}${stays}`;
    });
  }

  /**
   * Do one thing with the store, and say how it went. A second one waits for the user to ask again.
   *
   * @param {PanelNotice} notice
   * @param {string} words
   * @param {() => Promise<string>} work
   */
  async #during(notice, words, work) {
    if (this.#busy) return;
    this.#setBusy(true);
    notice.say(words);
    try {
      const done = await work();
      await this.#refresh();
      notice.say(done);
    } catch (error) {
      notice.fail(storingWords(error));
    } finally {
      this.#setBusy(false);
    }
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.#busy = busy;
    this.#panel.ariaBusy = String(busy);
  }
}
