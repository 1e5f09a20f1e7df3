/** @file What can be wrong with a download. */

import { RerankError } from '../errors.js';
import { Retry } from './retry.js';

/** @typedef {import('./sources.js').FileSpec} FileSpec */

/** As the cause of a RerankError: the host has no such file. */
export class Missing extends Error {}

/** The same: what was downloaded is wrong, and none of it may stay. */
export class Spoilt extends Retry {}

/** The same: the host has another version than it said, so all files have to be listed again. */
export class Changed extends Error {}

/** The same: the file was only on this device, and is not any more. */
export class Gone extends Error {}

/**
 * @param {FileSpec} spec
 * @param {unknown} [cause]
 */
export const changed = (spec, cause) =>
  new RerankError(
    'model_load',
    `The model's ${spec.path} was changed on its host while the model was being loaded, again ` +
      'and again. Try again once the host has its new release.',
    { cause: new Changed('changed', { cause }) },
  );

/**
 * @param {FileSpec} spec
 * @param {string} what
 * @param {unknown} [cause]
 */
export const integrity = (spec, what, cause) =>
  new RerankError(
    'model_integrity',
    `The model's ${spec.path} ${what}. Try again, or choose another source.`,
    { cause },
  );

/** @param {FileSpec} spec */
export const gone = (spec) =>
  new RerankError(
    'model_load',
    `The model's ${spec.path} came from this device, and the browser has removed it since. ` +
      'Add the model again.',
    { cause: new Gone(), retryable: false },
  );
