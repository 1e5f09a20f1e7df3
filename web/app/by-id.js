/** @file Typed look-up of the elements that index.html promises. */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 * @throws {TypeError} if the page has no such element; a mistake in index.html, not in what the user did.
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type))
    throw new TypeError(`index.html has no ${type.name} with id ${id}`);
  return element;
}
