/** @file Pure: what happened, in words for the status line. */

import { count, duration } from './number-words.js';

/** @import { Ranking, Words } from './types.js' */

/** @type {Words} */
export const READY = { headline: 'Ready.' };

/** @type {Words} */
export const CANCELLED = { headline: 'Cancelled.' };

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
