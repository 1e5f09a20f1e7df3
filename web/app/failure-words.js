/** @file Pure: an error as the page shows it. Never a stack, never a foreign error's message. */

import { RerankError } from '../webrerank.js';

/** @import { Failure, ModelChoice } from './types.js' */

/** The library's words for it are for programmers. */
const UNKNOWN_MODEL =
  'There is no model of this name on this device. Choose one from the list, or give its name on ' +
  'the hub or its address.';

/**
 * @typedef {object} Circumstances
 * @property {boolean} loaded whether the model was here when it happened
 * @property {ModelChoice} choice the model
 * @property {ModelChoice | null} standIn the one that is used instead, if it did not load
 */

/**
 * @param {unknown} error
 * @param {Circumstances} circumstances
 * @returns {Failure}
 */
export function failureWords(error, { loaded, choice, standIn }) {
  const notLoaded = standIn ? `Not loaded: ${choice.name}` : 'The model is not loaded.';
  const headline = loaded ? 'The documents were not ranked.' : notLoaded;
  const instead = standIn ? ` In use instead: ${standIn.name}.` : '';
  if (!(error instanceof RerankError)) {
    const message = 'Something unexpected happened. Try again, or reload the page.';
    return { headline, message: message + instead, retryable: true };
  }
  const unknown = error.code === 'invalid_request' && !loaded && typeof choice.model === 'string';
  const message = unknown ? UNKNOWN_MODEL : error.message;
  return { headline, message: message + instead, retryable: error.retryable };
}

/**
 * @param {unknown} error
 * @returns {string}
 */
export function storingWords(error) {
  if (error instanceof RerankError) return error.message;
  return 'Something unexpected happened. Try again, or reload the page.';
}
