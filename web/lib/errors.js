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
/** @typedef {{ code: Code, message: string, cause: string | null, retryable: boolean }} ErrorOnWire */

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

/** Failures while loading, when there is no user text yet that a cause's words could hold. */
const LOADING = ['model_load', 'model_integrity', 'unsupported_model', 'runtime_load'];

/**
 * What was thrown below: its kind, and while loading also its words.
 * @param {RerankError} error
 */
function causeOf({ code, cause }) {
  if (!(cause instanceof Error)) return null;
  return LOADING.includes(code) ? `${cause.name}: ${cause.message}`.slice(0, 500) : cause.name;
}

/**
 * Inverse of errorFromWire. A foreign error becomes 'internal' with its name only, since its
 * message may hold the user's text.
 * @param {unknown} error
 * @returns {ErrorOnWire}
 */
export function errorToWire(error) {
  const known = asRerankError(
    error,
    'internal',
    `Something went wrong inside webrerank (${error instanceof Error ? error.name : typeof error}). ` +
      'Please report it with what you did.',
  );
  const { code, message, retryable } = known;
  return { code, message, cause: causeOf(known), retryable };
}

/**
 * Inverse of errorToWire; an unknown code becomes 'internal'.
 * @param {ErrorOnWire} wire
 */
export function errorFromWire(wire) {
  const code = Object.hasOwn(RETRYABLE, wire.code) ? wire.code : 'internal';
  const cause = wire.cause ? new Error(String(wire.cause)) : undefined;
  return new RerankError(code, String(wire.message), { cause, retryable: wire.retryable });
}
