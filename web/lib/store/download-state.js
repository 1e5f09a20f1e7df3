/**
 * @file How far the download of a file is: the chunks so far, where they are, and the sha256 of them
 * all. It goes on from what an earlier attempt left.
 */

import { RerankError } from '../errors.js';
import { findPartial, keyOf, newId, readChunk } from './files.js';
import { createHasher, sha256 } from './hash.js';
import { CHUNK_BYTES } from './records.js';
import { compare } from './validators.js';

/** @typedef {import('./sources.js').FileSpec} FileSpec */
/** @typedef {import('./files.js').Partial} Partial */
/** @typedef {import('./validators.js').Validator} Validator */

/**
 * @typedef {object} State
 * @property {Partial} partial
 * @property {Map<number, Blob>} inMemory chunks that could not be kept
 * @property {import('./hash.js').Hasher} hasher of all chunks so far
 * @property {Uint8Array | null} mark the hasher's state before the last chunk
 */

/**
 * What an earlier attempt left. Chunks that the database lost since are fetched again.
 * @param {import('./download.js').Download} job
 * @returns {Promise<State>}
 */
export async function resume({ spec, name, listed }) {
  const hasher = await createHasher();
  const partial = (await findPartial(spec)) ?? newPartial(spec, name);
  /** @type {State} */
  const state = { partial, inMemory: new Map(), hasher, mark: null };
  if (listed && compare(partial.validator, spec.validator) === 'different') startOver(state, null);
  const { id, bytes: total, chunks } = state.partial;
  for (const [index, hash] of chunks.entries()) {
    const bytes = await readChunk(id, index);
    const end = index * CHUNK_BYTES + (bytes?.byteLength ?? 0);
    const whole = bytes?.byteLength === CHUNK_BYTES || end === total;
    if (!bytes || !whole || (await sha256(bytes)) !== hash) {
      chunks.length = index;
      break;
    }
    addToHash(state, bytes);
  }
  return state;
}

/**
 * @param {State} state
 * @param {ArrayBuffer} chunk the next one
 */
export function addToHash(state, chunk) {
  state.mark = state.hasher.save();
  state.hasher.update(new Uint8Array(chunk));
}

/**
 * @param {FileSpec} spec
 * @param {string} name
 * @returns {Partial}
 */
function newPartial(spec, name) {
  const none = { bytes: 0, chunks: [], validator: null };
  return { id: newId(), key: keyOf(spec), name, at: Date.now(), ...none };
}

/**
 * A whole chunk cannot be told from one that was cut at the end: the last is fetched again.
 * @param {State} state
 */
export function dropLast(state) {
  if (!state.mark) return startOver(state, state.partial.validator);
  state.hasher.load(state.mark);
  state.mark = null;
  state.partial = { ...state.partial, chunks: state.partial.chunks.slice(0, -1) };
}

/**
 * @param {State} state
 * @param {Validator | null} validator
 */
export function startOver(state, validator) {
  state.partial = { ...state.partial, bytes: 0, chunks: [], validator };
  state.inMemory.clear();
  state.hasher.init();
  state.mark = null;
}

/**
 * The whole file as a Blob: a handle that workers share without copies.
 * @param {State} state
 */
export async function assemble({ partial: { id, chunks }, inMemory }) {
  const parts = [];
  for (const index of chunks.keys()) {
    const part = inMemory.get(index) ?? (await readChunk(id, index));
    if (!part)
      throw new RerankError('model_load', 'The browser lost a part of the model. Try again.');
    parts.push(part instanceof Blob ? part : new Blob([part]));
  }
  return new Blob(parts);
}
