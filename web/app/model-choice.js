/** @file Pure: from what the user gives to a model, and to the name the page calls it by. */

/** @import { ModelChoice } from './types.js' */

/**
 * What loads when nothing was chosen.
 *
 * @type {ModelChoice}
 */
export const BUNDLED = Object.freeze(named('ms-marco-MiniLM-L-12-v2'));

/** What an export is called on disk. */
export const EXPORT_SUFFIX = '.webrerank';

/**
 * @param {string} name
 * @returns {ModelChoice}
 */
export function named(name) {
  return { name, model: name };
}

/**
 * @param {string} text as typed
 * @param {Set<string>} known names that need no address
 * @param {string} page the page's own address
 * @returns {ModelChoice | null} null if it cannot be a model
 */
export function typed(text, known, page) {
  const name = text.trim();
  const address = /^(https?:\/\/|\.{0,2}\/)\S+$/.test(name) && isWithinReach(name, page);
  return address || /^[\w.-]+\/[\w.-]+(@[\w./-]+)?$/.test(name) || known.has(name)
    ? named(name)
    : null;
}

/**
 * The page's policy, in index.html, lets it ask no other host without https.
 *
 * @param {string} address
 * @param {string} page
 */
function isWithinReach(address, page) {
  if (!URL.canParse(address, page)) return false;
  const { protocol, origin } = new URL(address, page);
  return protocol === 'https:' || origin === new URL(page).origin;
}

/**
 * @param {File[]} files at least one
 * @returns {ModelChoice}
 */
export function fromFiles(files) {
  const [folder = '', ...rest] = (files[0]?.webkitRelativePath ?? '').split('/');
  return { name: rest.length && folder ? folder : 'files from disk', model: files };
}

/**
 * A name that an export can carry: letters, digits, dots and hyphens.
 *
 * @param {string} wish
 * @param {Set<string>} taken
 * @returns {string}
 */
export function freeName(wish, taken) {
  const name = wish.replace(/[^\w.-]+/g, '-').replace(/^-+|-+$/g, '') || 'my-model';
  let free = name;
  for (let number = 2; taken.has(free); number++) free = `${name}-${number}`;
  return free;
}

/** @param {string} name */
export function isName(name) {
  return /^[\w.-]{1,100}$/.test(name);
}
