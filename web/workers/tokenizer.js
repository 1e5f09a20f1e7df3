/**
 * @file Hugging Face tokenizers compiled to WebAssembly (@mlc-ai/web-tokenizers), as Python sees
 * them: many texts in, one flat array of ids out, so that the border is crossed once.
 */

import { RerankError } from '../lib/errors.js';
import { whyNotLoaded } from '../lib/own-files.js';
import { VENDOR } from '../lib/site.js';
import { whileFilesCome } from './fetch.js';

/** @typedef {import('@mlc-ai/web-tokenizers').Tokenizer} Tokenizer */

const LIBRARY = `${VENDOR.tokenizers}tokenizers.js`;

/**
 * Make a tokenizer from the text of a tokenizer.json.
 * @param {string} json
 */
export async function loadTokenizer(json) {
  const { Tokenizer } = await loadLibrary();
  try {
    const bytes = new TextEncoder().encode(json).buffer;
    return new BatchTokenizer(await Tokenizer.fromJSON(bytes));
  } catch (cause) {
    throw new RerankError(
      'unsupported_model',
      "The model's tokenizer.json cannot be read by the tokenizer. Choose another model.",
      { cause },
    );
  }
}

/** @returns {Promise<typeof import('@mlc-ai/web-tokenizers')>} */
async function loadLibrary() {
  try {
    // A UMD file: in a module worker it lands on globalThis.
    await whileFilesCome(import(LIBRARY), LIBRARY);
    return /** @type {any} */ (globalThis).tokenizers;
  } catch (cause) {
    const message = 'The tokenizer could not be loaded. Reload the page and try again.';
    throw await whyNotLoaded([LIBRARY], new RerankError('runtime_load', message, { cause }));
  }
}

class BatchTokenizer {
  #tokenizer;

  /** @param {Tokenizer} tokenizer */
  constructor(tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /**
   * Encode texts without special tokens.
   * @param {string[]} texts free of lone surrogates
   * @returns {{ ids: Int32Array, ends: Int32Array }} all ids in a row, and where each text ends
   */
  encodeBatch(texts) {
    const encoded = texts.map((text) => (text ? this.#tokenizer.encode(text) : new Int32Array()));
    const ends = new Int32Array(texts.length);
    let end = 0;
    for (const [index, ids] of encoded.entries()) ends[index] = end += ids.length;
    const ids = new Int32Array(end);
    for (const [index, part] of encoded.entries()) ids.set(part, ends[index] - part.length);
    return { ids, ends };
  }
}
