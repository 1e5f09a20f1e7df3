/** @file Pure: from the text in the box to a list of documents. */

/**
 * Paragraphs if there is a blank line between any two of them, else lines. Blank lines at either end do not count.
 *
 * @param {string} text
 * @returns {string[]} trimmed, none of them blank
 */
export function splitDocuments(text) {
  const lines = linesOf(text);
  const separator = hasBlankLine(lines) ? /\n(?:[^\S\n]*\n)+/ : '\n';
  return lines
    .split(separator)
    .map((document) => document.trim())
    .filter((document) => document !== '');
}

/**
 * How `splitDocuments` tells them apart, in words: one blank line among many changes all of it.
 *
 * @param {string} text
 * @returns {string}
 */
export function separationWords(text) {
  return hasBlankLine(linesOf(text)) ? 'separated by blank lines' : 'one per line';
}

/** @param {string} text */
function linesOf(text) {
  return text.replace(/\r\n?/g, '\n').trim();
}

/** @param {string} lines trimmed */
function hasBlankLine(lines) {
  return /\n[^\S\n]*\n/.test(lines);
}
