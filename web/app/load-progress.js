/** @file Pure: from the library's load progress to one bar that never goes back, and its words. */

import { megabytes } from './number-words.js';

/** @import { LoadProgress, Progress } from './types.js' */

/** Where each phase begins on the bar and where it ends; guessed from a first load at home. */
const SPANS = Object.freeze({
  runtime: [0, 0.05],
  download: [0.05, 0.75],
  verify: [0.75, 0.8],
  load: [0.8, 0.95],
  warmup: [0.95, 1],
});

/** @returns {(event: LoadProgress) => Progress} feed it each event */
export function followLoad() {
  let reached = 0;
  return (event) => {
    reached = Math.max(reached, fractionOf(event));
    return { words: wordsOf(event), fraction: reached };
  };
}

/** @param {LoadProgress} event */
function fractionOf({ phase, loadedBytes, totalBytes }) {
  const [from = 0, to = 1] = SPANS[phase];
  const counted = phase === 'download' && totalBytes > 0; // later phases repeat the download's bytes
  return counted ? from + (to - from) * Math.min(1, loadedBytes / totalBytes) : from;
}

/** @param {LoadProgress} event */
function wordsOf({ phase, loadedBytes, totalBytes, fromCache }) {
  const amount = totalBytes > 0 ? `, ${megabytes(loadedBytes, totalBytes)}` : '';
  switch (phase) {
    case 'runtime':
      return 'Starting the engine';
    case 'download':
      return fromCache
        ? `Reading the model from this device${amount}`
        : `Downloading the model${amount} (once; kept on this device)`;
    case 'verify':
      return 'Checking the model';
    case 'load':
      return 'Loading the model';
    case 'warmup':
      return 'Warming up';
  }
}
