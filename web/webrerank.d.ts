/**
 * webrerank: search reranking in the user's own browser. This file is the contract; the code
 * behind it is checked against it.
 */

/**
 * An id of the catalogue (`models.list()` has them), a hub's 'owner/name' or 'owner/name@revision'
 * (or the address of its page), the URL of a folder in the hub's layout (a relative one starts with
 * ./ or ../), or the files of such a folder from disk.
 */
export type Model = string | FileList | readonly File[];

/** Where inference runs. */
export type Device = 'wasm' | 'webgpu';

/** The precision of the weights: int8, 16 or 32 bits floating point. */
export type Dtype = 'q8' | 'fp16' | 'fp32';

/**
 * What computes: ONNX Runtime Web, or the kernel of this project, for int8 models of the BERT family
 * (BERT, MiniLM, RoBERTa, XLM-R) on WebAssembly.
 */
export type Engine = 'onnxruntime' | 'kernel';

/**
 * How loading goes on. Bytes never fall, and end at the total. Phases come in order; where a GPU is
 * not used after all, those from 'download' on come once more.
 */
export interface LoadProgress {
  phase: 'runtime' | 'download' | 'verify' | 'load' | 'warmup';
  loadedBytes: number;
  totalBytes: number;
  /** The file in hand, if there is one. */
  file: string | null;
  /** True if the bytes come from this device, not from the network. */
  fromCache: boolean;
}

/**
 * As with all options here: null is the same as leaving one out, and they may be a plain object or
 * an instance of a class of your own, whose getters are read once.
 */
export interface RerankerOptions {
  /** Default: the bundled model, ms-marco-MiniLM-L-12-v2. */
  model?: Model;
  /**
   * A mirror of the hub, for hub ids and ids of the catalogue: an absolute address that answers as
   * the hub does. Default: huggingface.co.
   */
  hub?: string;
  /** Default 'auto': WebGPU where the model and the device suit it, else WebAssembly. */
  device?: Device | 'auto';
  /** Default 'auto': what suits the device. */
  dtype?: Dtype | 'auto';
  /**
   * Default 'onnxruntime'. With 'auto' the kernel runs the models that it understands: faster, and
   * with the same logits, bit for bit, on every machine and in every browser.
   */
  engine?: 'auto' | 'onnxruntime';
  /** Parallel inference sessions, 1 to 16. Default: from the cores and the memory. */
  sessions?: number;
  /** Keep logits, so that a pair is scored once; bounded. Default: true. */
  cache?: boolean;
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
  /**
   * The lowest score to keep, from 0 to 1. It is compared with `score`, the sigmoid of the logit:
   * good answers can score low, so set it from your own data.
   */
  minScore?: number;
  /**
   * Tokens a pair may have, up to the model's own (`models.list()` tells it for the catalogue's). By
   * default 512, or the model's own if that is less: time and memory grow with the square. A document
   * that would take more memory than there is gets an `error` with code 'out_of_memory'.
   */
  maxLength?: number;
  /** What does not fit is not read, and `truncated` says so. */
  longDocuments?: 'truncate';
  signal?: AbortSignal;
  /** Another name for `signal`. */
  abortSignal?: AbortSignal;
  /**
   * What an abort does to the documents being computed at that moment: by default each session
   * finishes its own, and only then serves other calls. With true such sessions are ended and
   * started anew, which pays if one document takes longer than that (long ones, large models). For
   * a moment both are in memory.
   */
  stopAtOnce?: boolean;
  /**
   * 'throw' (default), or 'input-order': should ranking fail, the documents come back as they
   * were, with `reranked` false and the `error`. Invalid requests, aborts and a reranker that was
   * disposed of reject all the same.
   */
  onFailure?: 'throw' | 'input-order';
  /** Called as documents are scored, or found to fail; blank ones are not counted. */
  onProgress?: (progress: { done: number; total: number }) => void;
  /** Called with each result as its score or its error becomes known; its rank is null until all are. */
  onResult?: (result: RerankResult<D>) => void;
}

export interface RerankResult<D extends Document = Document> {
  /** Place in the input, from 0. */
  index: number;
  /** Place in the ranking, from 1; null in `onResult`. */
  rank: number | null;
  /**
   * The sigmoid of the logit, from 0 to 1; 0 for a document without logit. For comparing within one
   * query: good answers can score low. Whatever activation the model's config.json names.
   */
  score: number;
  /**
   * The model's raw number, of two labels their difference; null for a blank document, which is
   * never sent to the model, and for one with an `error`.
   */
  logit: number | null;
  /** The caller's own object. */
  document: D;
  /** True if the document was too long to be read whole. */
  truncated: boolean;
  /** The part of a long document that won; null, as documents are not windowed yet. */
  window: { start: number; end: number } | null;
  /**
   * Why the model could not score this document though it did others; else null. Such results rank
   * behind all that were scored and before blank ones. If all fail, the call rejects with the first.
   */
  error: RerankError | null;
}

export interface Usage {
  documents: number;
  /** Pairs the model scored in this call. */
  pairs: number;
  /** Documents whose pair was scored before, in this call or an earlier one. */
  cached: number;
  /** Documents that could not be scored; their results have an `error`. */
  failed: number;
  /** Tokens in those pairs, special tokens included, padding not. */
  tokens: number;
  /** True if the query was too long to be read whole. */
  queryTruncated: boolean;
  tokenizeMs: number;
  inferenceMs: number;
  totalMs: number;
}

export interface Ranking<D extends Document = Document> {
  /** Best first, by logit; equal ones keep input order. Fewer than the documents with topK or minScore. */
  results: RerankResult<D>[];
  /** False if ranking failed and `onFailure` asked for the documents in input order. */
  reranked: boolean;
  /** Why it failed; null if it did not. */
  error: RerankError | null;
  /** What really ran; before anything has, the model that was asked for and 0 sessions. */
  model: string;
  device: Device;
  dtype: Dtype;
  engine: Engine;
  sessions: number;
  /** Why it is not what was asked for; null if it is. */
  fallback: string | null;
  usage: Usage;
}

/**
 * For search as you type: the function given calls `reranker.rerank`, and a new call aborts the one
 * before, which rejects with an AbortError.
 */
export function latestOnly(
  reranker: Pick<Reranker, 'rerank'>,
): <D extends Document>(options: RerankOptions<D>) => Promise<Ranking<D>>;

export interface Reranker {
  readonly model: string;
  readonly device: Device;
  readonly dtype: Dtype;
  readonly engine: Engine;
  readonly sessions: number;
  readonly fallback: string | null;
  /** False if this device had no room for the model: it will be downloaded again next time. */
  readonly saved: boolean;
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

/** A model of the catalogue. */
export interface CatalogueEntry {
  id: string;
  title: string;
  languages: string[];
  parameters: number;
  licence: string;
  architecture: string;
  /** Tokens a pair may have. */
  maxLength: number;
  recommendedFor: string;
  /** What could not be checked in public documentation. */
  unchecked: string[];
}

/** A model that is known here, and what is stored of it. */
export interface ModelInfo extends Partial<CatalogueEntry> {
  id: string;
  /** The precisions there are; bytes is 0 where not known before the download. */
  dtypes: Partial<Record<Dtype, { bytes: number; stored: boolean }>>;
  storedBytes: number;
  lastUsed: Date | null;
}

/** How asking for a newer release of a stored model ended. */
export interface ModelUpdate {
  /** The name, as in `list()`. */
  id: string;
  /** True if another release is stored now. */
  updated: boolean;
  /** Paths of the files that are other ones now, new, or gone. */
  changed: string[];
  /** The commit of a hub model that is stored now; null of others. */
  revision: string | null;
  /** Why the stored release stayed; null if nothing went wrong. Always null if one model was named. */
  error: RerankError | null;
}

export interface UpdateOptions {
  /** A mirror of the hub; see `RerankerOptions`. */
  hub?: string;
  onProgress?: (progress: LoadProgress) => void;
  signal?: AbortSignal;
}

export interface PrefetchOptions {
  /** A mirror of the hub; see `RerankerOptions`. */
  hub?: string;
  device?: Device | 'auto';
  dtype?: Dtype | 'auto';
  onProgress?: (progress: LoadProgress) => void;
  signal?: AbortSignal;
}

export interface ModelStore {
  /** The catalogue's models and all that were used here. */
  list(): Promise<ModelInfo[]>;
  /** Download a model for later; `saved` is false if there was no room. */
  prefetch(
    model?: string,
    options?: PrefetchOptions,
  ): Promise<{ id: string; dtype: Dtype; bytes: number; saved: boolean }>;
  /**
   * Ask for a newer release of a stored model, or without a name of all of them, in the precisions
   * that are stored. It takes the place of the stored one once it is here whole. With a name it
   * rejects where that fails; without, each answer has its `error`.
   */
  update(model?: string, options?: UpdateOptions): Promise<ModelUpdate[]>;
  /** Remove one model, or without a name all; nothing but webrerank's own data is touched. */
  remove(model?: string): Promise<void>;
  /**
   * Keep files from disk under a name of your choice. The name of a model of the catalogue is
   * refused unless the files are that model.
   */
  add(name: string, files: FileList | readonly File[]): Promise<void>;
  /** A stored model as one file, for a machine without network; rejects if it is not whole. */
  export(model: string): Promise<Blob>;
  /**
   * Inverse of export; gives the model's name. That of the export is taken if `name` gives no other;
   * for names of the catalogue see `add`.
   */
  import(file: Blob, options?: { name?: string }): Promise<string>;
  /** Bytes stored, used by this origin, and allowed; null where the browser does not tell. */
  usage(): Promise<{
    modelBytes: number;
    usedBytes: number | null;
    quotaBytes: number | null;
    persisted: boolean;
  }>;
  /** Ask the browser never to evict; call it from a click, since Firefox asks the user. */
  persist(): Promise<boolean>;
}

/** The models on this device. */
export const models: ModelStore;

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

/** A RerankError as plain data, for JSON and for messages between threads, which keep no class. */
export interface RerankErrorJSON {
  name: 'RerankError';
  code: RerankErrorCode;
  message: string;
  retryable: boolean;
  /**
   * What was thrown below, as 'TypeError: ...'; of failures other than loading only its kind, since
   * its words could hold a document. Null if there is none.
   */
  cause: string | null;
}

/** Every failure but an abort; docs/errors.md has all messages, with what to do. */
export class RerankError extends Error {
  constructor(
    code: RerankErrorCode,
    message: string,
    options?: { cause?: unknown; retryable?: boolean },
  );
  readonly code: RerankErrorCode;
  /** True if the same call may succeed later. */
  readonly retryable: boolean;
  /** Called by JSON.stringify; call it yourself before you post an error to another thread. */
  toJSON(): RerankErrorJSON;
  /** Inverse of toJSON; a code that this release does not know becomes 'internal'. */
  static fromJSON(json: RerankErrorJSON): RerankError;
}
