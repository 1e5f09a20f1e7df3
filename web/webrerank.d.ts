/**
 * webrerank: search reranking in the user's own browser. This file is the contract; the code
 * behind it is checked against it.
 */

/** A hub's id, a catalogue id, or the URL of a folder in the hub's layout. */
export type Model = string;

/** Where inference runs. */
export type Device = 'wasm' | 'webgpu';

/** The precision of the weights: int8, 16 or 32 bits floating point. */
export type Dtype = 'q8' | 'fp16' | 'fp32';

/** How loading goes on. Bytes never fall, and end at the total. */
export interface LoadProgress {
  phase: 'runtime' | 'download' | 'verify' | 'load' | 'warmup';
  loadedBytes: number;
  totalBytes: number;
  /** The file in hand, if there is one. */
  file: string | null;
  /** True if the bytes come from this device, not from the network. */
  fromCache: boolean;
}

export interface RerankerOptions {
  /** Default: the bundled model, ms-marco-MiniLM-L-12-v2. */
  model?: Model;
  /** Default 'auto': WebGPU where the model and the device suit it, else WebAssembly. */
  device?: Device | 'auto';
  /** Default 'auto': what suits the device. */
  dtype?: Dtype | 'auto';
  /** Parallel inference sessions, 1 to 16. Default: from the cores and the memory. */
  sessions?: number;
  onProgress?: (progress: LoadProgress) => void;
  signal?: AbortSignal;
}

/** A text, or an object with a `text` property (or those named in `fields`). */
export type Document = string | object;

export interface RerankOptions<D extends Document = Document> {
  /** What is looked for; not blank. */
  query: string;
  documents: readonly D[];
  /** Which properties make up the text, joined by a space; missing ones are left out. */
  fields?: readonly string[];
  /** How many results at most; a whole number of at least 1. Default: all. */
  topK?: number;
  /** The lowest score to keep, from 0 to 1. */
  minScore?: number;
  /** Tokens a pair may have; default and ceiling: the model's own. */
  maxLength?: number;
  /** What does not fit is not read, and `truncated` says so. */
  longDocuments?: 'truncate';
  signal?: AbortSignal;
  /** Another name for `signal`. */
  abortSignal?: AbortSignal;
  /** Called as pairs are scored. */
  onProgress?: (progress: { done: number; total: number }) => void;
  /** Called with each result as its score becomes known; its rank is null until all are. */
  onResult?: (result: RerankResult<D>) => void;
}

export interface RerankResult<D extends Document = Document> {
  /** Place in the input, from 0. */
  index: number;
  /** Place in the ranking, from 1; null in `onResult`. */
  rank: number | null;
  /** From 0 to 1; 0 for a blank document. */
  score: number;
  /** The model's raw number; null for a blank document, which is never sent to the model. */
  logit: number | null;
  /** The caller's own object. */
  document: D;
  /** True if the document was too long to be read whole. */
  truncated: boolean;
  /** The part of a long document that won; null, as documents are not windowed yet. */
  window: { start: number; end: number } | null;
}

export interface Usage {
  documents: number;
  /** Pairs the model scored; blank documents have none. */
  pairs: number;
  /** Tokens in those pairs, special tokens included, padding not. */
  tokens: number;
  /** True if the query was too long to be read whole. */
  queryTruncated: boolean;
  tokenizeMs: number;
  inferenceMs: number;
  totalMs: number;
}

export interface Ranking<D extends Document = Document> {
  /** Best first; equal scores keep input order. Fewer than the documents with topK or minScore. */
  results: RerankResult<D>[];
  /** What really ran. */
  model: string;
  device: Device;
  dtype: Dtype;
  sessions: number;
  /** Why it is not what was asked for; null if it is. */
  fallback: string | null;
  usage: Usage;
}

export interface Reranker {
  readonly model: string;
  readonly device: Device;
  readonly dtype: Dtype;
  readonly sessions: number;
  readonly fallback: string | null;
  /**
   * Rank documents by their relevance to a query. Calls may overlap.
   * @throws {RerankError} typed and coded; or `signal.reason` after an abort.
   */
  rerank<D extends Document>(options: RerankOptions<D>): Promise<Ranking<D>>;
  /** End all workers and free their memory. Calls under way reject with code 'disposed'. */
  dispose(): Promise<void>;
}

/**
 * Load a model and make it ready.
 * @throws {RerankError} typed and coded; or `signal.reason` after an abort.
 */
export function createReranker(options?: RerankerOptions): Promise<Reranker>;

/** Load, rerank once and free everything. No documents: an empty ranking, and nothing is loaded. */
export function rerank<D extends Document>(
  options: RerankOptions<D> & Omit<RerankerOptions, 'onProgress' | 'signal'>,
): Promise<Ranking<D>>;

export type RerankErrorCode =
  | 'invalid_request'
  | 'model_load'
  | 'model_integrity'
  | 'unsupported_model'
  | 'runtime_load'
  | 'tokenization'
  | 'inference'
  | 'out_of_memory'
  | 'worker_crashed'
  | 'disposed'
  | 'internal';

/** Every failure but an abort. */
export class RerankError extends Error {
  constructor(code: RerankErrorCode, message: string, options?: { cause?: unknown });
  readonly code: RerankErrorCode;
  /** True if the same call may succeed later. */
  readonly retryable: boolean;
}
