/** @file One document of the ranking. */

import { element } from './element.js';
import { count, scoreText } from './number-words.js';

/** @import { Result } from './types.js' */

/** Characters above which a document is folded, about five lines on a desktop screen. */
const FOLD_ABOVE = 420;

/**
 * @param {Result} result
 * @param {number} rank from 1
 * @param {string} text the document
 * @returns {HTMLLIElement}
 */
export function resultItem(result, rank, text) {
  const item = element('li', 'result');
  item.append(element('span', 'result-rank', String(rank)), ...documentText(text));
  const note = readingNote(result);
  if (note) item.append(element('p', 'result-note quiet', note));
  item.append(figures(result, rank));
  return item;
}

/** @param {string} text */
function documentText(text) {
  if (text.trim() === '')
    return [element('p', 'result-text is-blank', 'Blank document, not scored')];
  const body = element('p', 'result-text', text);
  body.dir = 'auto';
  return text.length > FOLD_ABOVE ? [body, unfoldButton(body)] : [body];
}

/** @param {HTMLElement} body */
function unfoldButton(body) {
  const button = element('button', 'result-unfold link');
  button.type = 'button';
  /** @param {boolean} folded */
  const set = (folded) => {
    body.classList.toggle('is-folded', folded);
    button.textContent = folded ? 'Show all' : 'Show less';
    button.setAttribute('aria-expanded', String(!folded));
  };
  button.addEventListener('click', () => set(!body.classList.contains('is-folded')));
  set(true);
  return button;
}

/** @param {Result} result */
function readingNote({ truncated, window, error }) {
  if (error) return `Not scored. ${error.message}`;
  if (window) return 'Longer than the model reads at once: scored by its best part.';
  return truncated ? 'Longer than the model reads at once: its end was left out.' : '';
}

/**
 * @param {Result} result
 * @param {number} rank
 */
function figures({ index, score }, rank) {
  const row = element('div', 'result-figures');
  const bar = element('span', 'result-bar');
  bar.style.setProperty('--score', String(score)); // CSSOM, which a strict style-src allows
  const number = element('span', 'result-score', scoreText(score));
  number.prepend(element('span', 'visually-hidden', 'Score '));
  row.append(bar, number, move(index + 1, rank));
  return row;
}

/**
 * @param {number} from the place in the input, from 1
 * @param {number} to the rank
 */
function move(from, to) {
  const by = from - to;
  const [sign, spoken] = by > 0 ? [`▲${by}`, 'up'] : by < 0 ? [`▼${-by}`, 'down'] : ['–', ''];
  const words =
    by === 0
      ? 'In the same place as before'
      : `Moved ${spoken} ${count(Math.abs(by), 'place')}, from ${from}`;
  const shown = element('span', '', sign);
  shown.ariaHidden = 'true';
  const made = element('span', by > 0 ? 'result-move is-up' : 'result-move');
  made.title = words;
  made.append(shown, element('span', 'visually-hidden', words));
  return made;
}
