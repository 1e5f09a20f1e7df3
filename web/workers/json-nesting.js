/**
 * @file Guards Python's JSON parser, which recurses: in WebAssembly a few ten thousand levels
 * overflow the stack and end Pyodide. A model's files are data from a stranger.
 */

import { RerankError } from '../lib/errors.js';

/** A tokenizer.json has about ten levels. */
const DEEPEST = 200;

/**
 * @param {string} json
 * @throws {RerankError} 'unsupported_model' if it is nested deeper than any real file
 */
export function checkNesting(json) {
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '"') at = endOfString(json, at);
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    if (depth > DEEPEST) {
      throw new RerankError(
        'unsupported_model',
        "One of the model's JSON files is nested too deeply to be real. Choose another model.",
      );
    }
  }
}

/**
 * Where a string ends; its brackets mean nothing.
 * @param {string} json
 * @param {number} start of its opening quote
 */
function endOfString(json, start) {
  for (let at = start + 1; at < json.length; at++) {
    if (json[at] === '\\') at++;
    else if (json[at] === '"') return at;
  }
  return json.length;
}
