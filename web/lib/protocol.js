/**
 * @file The messages between the page and its workers. Types and a version, no behaviour.
 * lib/worker-client.js sends requests, workers/serve.js answers them. py_src/webrerank/worker_api.py
 * has the Python half of a rerank.
 */

/** Raised when a message changes after a release, so that a page and a worker of two releases notice. */
export const PROTOCOL = 2;

/**
 * @typedef {{ v: number, id: number, type: 'call', name: string, payload: any }} CallMessage
 * @typedef {{ v: number, id: number, type: 'cancel' }} CancelMessage
 * @typedef {CallMessage | CancelMessage} ToWorker
 *
 * @typedef {{ id: 0, type: 'started' }} StartedMessage the worker's script runs
 * @typedef {{ id: 0, type: 'alive' }} AliveMessage it waits for others, who may be long
 * @typedef {{ id: number, type: 'event', value: any }} EventMessage
 * @typedef {{ id: number, type: 'done', value: any }} DoneMessage
 * @typedef {{ id: number, type: 'failed', error: import('./errors.js').ErrorOnWire }} FailedMessage
 * @typedef {{ id: number, type: 'cancelled' }} CancelledMessage
 * @typedef {StartedMessage | AliveMessage | EventMessage | DoneMessage | FailedMessage | CancelledMessage} FromWorker
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
 * What it answers: one array a column, best first. A logit of NaN stands for a document that has
 * none; `errors` says why, by row, unless it is blank.
 * @typedef {object} RankingColumns
 * @property {Int32Array} index
 * @property {Float64Array} score
 * @property {Float64Array} logit
 * @property {Uint8Array} truncated
 * @property {{ row: number, error: import('./errors.js').ErrorOnWire }[]} errors
 * @property {import('../webrerank.js').Usage} usage
 */

/**
 * One result; its logit is NaN and its `error` set if the document could not be scored.
 * @typedef {object} ResultRow
 * @property {number} index
 * @property {number} score
 * @property {number} logit
 * @property {boolean} truncated
 * @property {import('./errors.js').ErrorOnWire | null} error
 */

/**
 * While it runs: the documents done so far, and the result if wanted.
 * @typedef {object} PairEvent
 * @property {number} done
 * @property {number} total
 * @property {ResultRow | null} result
 */

/**
 * Pairs that the page has a session run, shape (rows, length).
 * @typedef {object} Batch
 * @property {BigInt64Array} inputIds
 * @property {BigInt64Array} attentionMask
 * @property {BigInt64Array} tokenTypeIds
 * @property {number} rows
 * @property {number} length
 */

/**
 * On a session's port, Python worker to session worker. Python knows what the graph wants
 * (py_src/webrerank/interface.py): `feeds` are its inputs by name, of shape (rows, length), flat.
 * @typedef {object} RunMessage
 * @property {'run'} type
 * @property {number} id
 * @property {Feeds} feeds
 * @property {string} output the name of the output wanted
 * @property {number} rows
 * @property {number} length
 *
 * @typedef {Record<string, BigInt64Array | Int32Array>} Feeds
 *
 * @typedef {{ type: 'drop', id: number }} DropMessage a run no longer wanted
 * @typedef {RunMessage | DropMessage} ToSession
 *
 * @typedef {{ type: 'begun', id: number }} BegunMessage
 * @typedef {{ type: 'logits', id: number, logits: Float32Array }} LogitsMessage shape (rows, n)
 * @typedef {{ type: 'failed', id: number, error: import('./errors.js').ErrorOnWire }} RunFailedMessage
 * @typedef {{ type: 'dropped', id: number }} DroppedMessage a run that was no longer wanted and had not begun
 * @typedef {BegunMessage | LogitsMessage | RunFailedMessage | DroppedMessage} FromSession
 */
