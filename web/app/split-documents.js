/** @file Pure: from the text in the box to a list of documents. */

/**
 * Paragraphs if there is a blank line between any two of them, else lines. Blank lines at either end do not count.
 *
 * @param {string} text
 * @returns {string[]} trimmed, none of them blank
 */
export function splitDocuments(text) {
  const lines = text.replace(/\r\n?/g, '\n').trim();
  const separator = /\n[^\S\n]*\n/.test(lines) ? /\n(?:[^\S\n]*\n)+/ : '\n';
  return lines
    .split(separator)
    .map((document) => document.trim())
    .filter((document) => document !== '');
}
