/**
 * @file The messages between the page and its workers. Types and a version, no behaviour.
 * lib/worker-client.js sends requests, workers/serve.js answers them. py_src/webrerank/worker_api.py
 * has the Python half of a rerank.
 */

/** Raised when a message changes after a release, so that a page and a worker of two releases notice. */
export const PROTOCOL = 1;

/**
 * @typedef {{ v: number, id: number, type: 'call', name: string, payload: any }} CallMessage
 * @typedef {{ v: number, id: number, type: 'cancel' }} CancelMessage
 * @typedef {CallMessage | CancelMessage} ToWorker
 *
 * @typedef {{ id: number, type: 'event', value: any }} EventMessage
 * @typedef {{ id: number, type: 'done', value: any }} DoneMessage
 * @typedef {{ id: number, type: 'failed', error: import('./errors.js').ErrorOnWire }} FailedMessage
 * @typedef {{ id: number, type: 'cancelled' }} CancelledMessage
 * @typedef {EventMessage | DoneMessage | FailedMessage | CancelledMessage} FromWorker
 */

/**
 * What the Python worker is asked for a rerank, already free of the caller's objects. What is not
 * set is undefined: Pyodide makes None of it, but an object of its own of null.
 * @typedef {object} RerankPayload
 * @property {string} query
 * @property {string[]} texts
 * @property {number | undefined} topK
 * @property {number | undefined} minScore
 * @property {number | undefined} maxLength
 * @property {boolean} wantResults whether each result is to be sent as it becomes known
 */

/**
 * What it answers: one array a column, best first. A logit of NaN stands for a blank document.
 * @typedef {object} RankingColumns
 * @property {Int32Array} index
 * @property {Float64Array} score
 * @property {Float64Array} logit
 * @property {Uint8Array} truncated
 * @property {import('../webrerank.js').Usage} usage
 */

/**
 * While it runs: the pairs done so far, and the result if wanted.
 * @typedef {object} PairEvent
 * @property {number} done
 * @property {number} total
 * @property {{ index: number, score: number, logit: number, truncated: boolean } | null} result
 */

/**
 * On a session's port, Python worker to session worker. Arrays are of shape (rows, length).
 * @typedef {object} RunMessage
 * @property {'run'} type
 * @property {number} id
 * @property {BigInt64Array} inputIds
 * @property {BigInt64Array} attentionMask
 * @property {BigInt64Array} tokenTypeIds
 * @property {number} rows
 * @property {number} length
 *
 * @typedef {{ type: 'drop', id: number }} DropMessage a run no longer wanted
 * @typedef {RunMessage | DropMessage} ToSession
 *
 * @typedef {{ type: 'begun', id: number }} BegunMessage
 * @typedef {{ type: 'logits', id: number, logits: Float32Array }} LogitsMessage shape (rows, n)
 * @typedef {{ type: 'failed', id: number, error: import('./errors.js').ErrorOnWire }} RunFailedMessage
 * @typedef {BegunMessage | LogitsMessage | RunFailedMessage} FromSession
 */
