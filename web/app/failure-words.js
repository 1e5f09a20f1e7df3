/** @file Pure: an error as the page shows it. Never a stack, never a foreign error's message. */

import { RerankError } from '../webrerank.js';

/** @import { Failure } from './types.js' */

/**
 * @param {unknown} error
 * @param {boolean} loaded whether the model was here when it happened
 * @returns {Failure}
 */
export function failureWords(error, loaded) {
  const headline = loaded ? 'The documents were not ranked.' : 'The model is not loaded.';
  if (error instanceof RerankError) {
    return { headline, message: error.message, retryable: error.retryable };
  }
  const message = 'Something unexpected happened. Try again, or reload the page.';
  return { headline, message, retryable: true };
}
