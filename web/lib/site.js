/**
 * @file Where the files of this release are. `build.py build` writes dist's own copy of this file:
 * there, each folder that holds code has an id of its content in its name, so that no page can get
 * code of two releases, whatever a host or a browser keeps (ARCHITECTURE.md).
 */

/** In a variable, or webpack takes the folder for a file to bundle. */
const HERE = import.meta.url;

/**
 * The folder of webrerank.js: relative model folders, and models/, start here. Empty where a
 * bundler has left no address that leads anywhere.
 */
export const SITE = URL.canParse('../', HERE) ? new URL('../', HERE).href : '';

/** The folders of the parts that several releases may share. */
export const VENDOR = Object.freeze({
  ort: `${SITE}vendor/ort/`,
  pyodide: `${SITE}vendor/pyodide/`,
  tokenizers: `${SITE}vendor/tokenizers/`,
});

/**
 * One of the pieces that a file lies in, in their order.
 * @typedef {{ path: string, bytes: number, sha256: string }} Piece path from SITE
 */

/**
 * The files that a host would not take whole (`build.py build --max-file-mb`), by their path from
 * SITE.
 * @type {Readonly<Record<string, readonly Piece[]>>}
 */
export const PIECES = Object.freeze({});
