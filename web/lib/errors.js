/**
 * @file The one error type of the library and its stable codes. The codes are the same in
 * py_src/webrerank/errors.py; a test compares them. Messages never hold the user's text.
 */

/** Each code, and whether the same call may as a rule succeed later. */
export const RETRYABLE = Object.freeze({
  invalid_request: false,
  model_load: true,
  model_integrity: true,
  unsupported_model: false,
  runtime_load: true,
  tokenization: false,
  inference: false,
  out_of_memory: true,
  worker_crashed: true,
  disposed: false,
  internal: false,
});

/** @typedef {import('../webrerank.js').RerankErrorCode} Code */
/** @typedef {import('../webrerank.js').RerankErrorJSON} ErrorOnWire */

/** Failures while loading, when there is no user text yet that a cause's words could hold. */
const LOADING = ['model_load', 'model_integrity', 'unsupported_model', 'runtime_load'];

/** Every failure but an abort. */
export class RerankError extends Error {
  /**
   * @param {Code} code
   * @param {string} message what happened and what to do next; free of user text
   * @param {{ cause?: unknown, retryable?: boolean }} [options] retryable: where it is not as
   *   usual for the code
   */
  constructor(code, message, options = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RerankError';
    this.code = code;
    this.retryable = options.retryable ?? RETRYABLE[code];
  }

  /**
   * Inverse of fromJSON: plain data, since a message between threads or JSON keeps no class. Of
   * the cause its kind, and while loading also its words.
   * @returns {ErrorOnWire}
   */
  toJSON() {
    const { code, message, retryable } = this;
    return { name: 'RerankError', code, message, retryable, cause: textOfCause(this) };
  }

  /**
   * Inverse of toJSON; an unknown code becomes 'internal'.
   * @param {ErrorOnWire} json
   */
  static fromJSON(json) {
    const given = { ...NOTHING, ...json };
    const code = Object.hasOwn(RETRYABLE, given.code) ? given.code : 'internal';
    const cause = typeof given.cause === 'string' ? causeFrom(given.cause) : undefined;
    const retryable = typeof given.retryable === 'boolean' ? given.retryable : undefined;
    return new RerankError(code, String(given.message), { cause, retryable });
  }
}

/** So that nothing is read from an Object.prototype that the page has added to. */
const NOTHING = Object.freeze({ code: 'internal', message: '', cause: null, retryable: null });

/** @param {RerankError} error */
function textOfCause({ code, cause }) {
  if (!(cause instanceof Error)) return null;
  const { name, message } = cause;
  return LOADING.includes(code) && message ? `${name}: ${message}`.slice(0, 500) : name;
}

/**
 * Inverse of textOfCause.
 * @param {string} text
 */
function causeFrom(text) {
  const [, name, message] = /^(\w+)(?:: ([^]*))?$/.exec(text) ?? [text, 'Error', text];
  const cause = new Error(message ?? '');
  cause.name = name;
  return cause;
}

/**
 * Turn anything thrown into a RerankError; one that is foreign gets the code given.
 * @param {unknown} error
 * @param {Code} code
 * @param {string} message
 */
export function asRerankError(error, code, message) {
  return error instanceof RerankError ? error : new RerankError(code, message, { cause: error });
}

/**
 * What a worker sends of a failure. A foreign error becomes 'internal' with its name only, since
 * its message may hold the user's text.
 * @param {unknown} error
 * @returns {ErrorOnWire}
 */
export function errorToWire(error) {
  const kind = error instanceof Error ? error.name : typeof error;
  const message = `Something went wrong inside webrerank (${kind}). Report it with what you did.`;
  return asRerankError(error, 'internal', message).toJSON();
}
