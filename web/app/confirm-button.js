/** @file A button that asks once more, in its own place, before it does what cannot be undone. */

import { element } from './element.js';

/**
 * @typedef {object} Question
 * @property {string} label on the button
 * @property {string} spoken the same for those who do not see what is beside it
 * @property {string} question
 * @property {string} yes
 * @property {() => void} onYes
 */

/**
 * @param {Question} question
 * @returns {HTMLElement}
 */
export function confirmButton({ label, spoken, question, yes, onYes }) {
  const place = element('div', 'confirm');
  const open = button(label, () => ask());
  open.ariaLabel = spoken;
  const rest = () => place.replaceChildren(open);
  const no = button('Keep', () => {
    rest();
    open.focus();
  });
  const group = element('div', 'confirm-question');
  group.role = 'group';
  group.ariaLabel = question;
  const answers = element('div', 'confirm-answers'); // in one line, however narrow it is
  answers.append(button(yes, onYes, 'danger'), no);
  group.append(element('p', '', question), answers);
  group.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation(); // Escape also cancels what runs
    no.click();
  });
  function ask() {
    place.replaceChildren(group);
    no.focus();
  }
  rest();
  return place;
}

/**
 * @param {string} label
 * @param {() => void} onClick
 * @param {string} [className]
 */
function button(label, onClick, className = '') {
  const made = element('button', className, label);
  made.type = 'button';
  made.addEventListener('click', onClick);
  return made;
}
