/** @file The place under the buttons. It shows one of three things, and this is where "one of" is kept. */

import { byId } from './by-id.js';
import { ErrorNotice } from './error-notice.js';
import { ProgressBar } from './progress-bar.js';
import { StatusLine } from './status-line.js';

/** @import { Failure, Progress, Words } from './types.js' */

export class Activity {
  #progress = new ProgressBar();
  #status = new StatusLine();
  #error;

  /** @param {() => void} onRetry */
  constructor(onRetry) {
    this.#error = new ErrorNotice(onRetry);
  }

  /**
   * @param {string} spoken said once, however often the rest changes
   * @param {Progress} state
   */
  progress(spoken, state) {
    this.#error.clear();
    this.#status.show({ headline: spoken }, { spokenOnly: true });
    this.#progress.show(state);
  }

  /** @param {Words} words */
  status(words) {
    this.#error.clear();
    this.#progress.hide();
    this.#status.show(words);
  }

  /** @param {Failure} failure */
  failure(failure) {
    this.#progress.hide();
    this.#status.clear();
    this.#error.show(failure);
  }

  get hasFailure() {
    return this.#error.isShown;
  }

  /** For those who started something from further down the page. */
  bringIntoView() {
    byId('activity', HTMLElement).scrollIntoView({ block: 'nearest' });
  }
}
