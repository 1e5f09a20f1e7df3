/** @file Pure: what happened, in words for the status line. */

import { BUNDLED } from './model-choice.js';
import { count, duration } from './number-words.js';

/** @import { ModelChoice, Ranking, Words } from './types.js' */

/**
 * @param {ModelChoice} choice the model that is loaded
 * @returns {Words}
 */
export function readyWords({ name }) {
  return name === BUNDLED.name ? { headline: 'Ready.' } : { headline: 'Ready.', detail: name };
}

/**
 * @param {ModelChoice | null} standIn the model that is used again, if it was a change that was cancelled
 * @returns {Words}
 */
export function cancelledWords(standIn) {
  const headline = 'Cancelled.';
  return standIn ? { headline, detail: `Still in use: ${standIn.name}.` } : { headline };
}

/**
 * @param {Ranking} ranking
 * @returns {Words}
 */
export function rankedWords({ model, device, dtype, sessions, fallback, usage }) {
  const ran = [model, device, dtype, count(sessions, 'session')].join(' · ');
  const notes = [
    fallback ?? '',
    usage.queryTruncated ? 'The query was too long for the model, so its end was left out.' : '',
  ];
  return {
    headline: `Ranked ${count(usage.documents, 'document')} in ${duration(usage.totalMs)}.`,
    detail: [ran, ...notes.filter(Boolean).map(asSentence)].join('. '),
  };
}

/** @param {string} text */
function asSentence(text) {
  return text.replace(/[^.!?]$/, '$&.');
}
