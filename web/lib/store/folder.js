/**
 * @file A model's folder on any web server. It cannot be listed, so each file is asked for; what
 * the server says of it (ETag, date, size) tells one release from the next.
 */

import { RerankError } from '../errors.js';
import { FEW_ATTEMPTS, fetchInTime } from './fetch-in-time.js';
import { badAnswer, isPassing, unreachable } from './host-errors.js';
import { announcedBytes } from './http-range.js';
import { CONFIG_PATHS, MODEL_PATHS, modelPaths, REQUIRED_PATHS } from './layout.js';
import { addressOf } from './names.js';
import { retryOf, withRetries } from './retry.js';
import { validatorOf } from './validators.js';

/** @typedef {import('./sources.js').Release} Release */
/** @typedef {import('./sources.js').FileSpec} FileSpec */
/** @typedef {import('./names.js').ModelName} ModelName */

/** A host that answers so to HEAD may answer to GET all the same. */
const REFUSES_HEAD = [403, 405, 501];

/**
 * What a host said of a path: the file, or why there is none.
 * @typedef {{ path: string, spec: FileSpec | null, status: number, page: boolean }} Answer
 */

/**
 * Ask which files a folder has.
 * @param {ModelName} named
 * @param {AbortSignal} signal
 * @param {{ known?: string[], method?: 'HEAD' | 'GET' }} [options] known: paths that were used
 *   before; method: GET where HEAD does not tell the truth
 * @returns {Promise<Release>}
 */
export async function folderRelease(
  { name, folder },
  signal,
  { known = [], method = 'HEAD' } = {},
) {
  const base = /** @type {URL} */ (folder).href;
  const look = (/** @type {string[]} */ paths) =>
    Promise.all(paths.map((path) => askFor(base, path, method, signal)));
  const usual = Object.values(MODEL_PATHS).map((paths) => paths[0]);
  const answers = await look([...new Set([...CONFIG_PATHS, ...usual, ...known])]);
  if (!answers.some(({ spec }) => spec?.path.endsWith('.onnx'))) {
    const others = Object.values(MODEL_PATHS).flatMap((paths) => paths.slice(1));
    answers.push(...(await look(others)));
  }
  const files = Object.fromEntries(
    answers.flatMap(({ path, spec }) => (spec ? [[path, spec]] : [])),
  );
  const models = modelPaths(Object.keys(files));
  const missing = REQUIRED_PATHS.filter((path) => !Object.hasOwn(files, path));
  if (!Object.keys(models).length) missing.push('ONNX file');
  if (missing.length) throw incomplete(missing, answers);
  const { pathname, host } = new URL(base);
  const id = pathname.split('/').filter(Boolean).at(-1) ?? host;
  const from = { name, id, kind: /** @type {const} */ ('folder'), base, revision: null };
  return { ...from, models, files, used: {}, storedAt: 0, lastUsed: 0 };
}

/**
 * @param {string} base
 * @param {string} path
 * @param {'HEAD' | 'GET'} method
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
async function askFor(base, path, method, signal) {
  const url = addressOf(base, path);
  let answer = await ask(url, method, signal);
  if (method === 'HEAD' && REFUSES_HEAD.includes(answer.status)) {
    answer = await ask(url, 'GET', signal);
  }
  const { ok, status, headers } = answer;
  // Hosts of single-page apps answer every path with their page.
  const page = ok && Boolean(headers.get('content-type')?.startsWith('text/html'));
  if (!ok || page) return { path, spec: null, status, page };
  const length = Number(headers.get('content-length')) || 0;
  const validator = { ...validatorOf(answer), length };
  const spec = { path, url, bytes: announcedBytes(answer, 0), sha256: null, validator };
  return { path, spec, status, page };
}

/**
 * @param {string} url
 * @param {'HEAD' | 'GET'} method
 * @param {AbortSignal} signal
 */
async function ask(url, method, signal) {
  try {
    const retries = { signal, attempts: FEW_ATTEMPTS };
    return await withRetries(() => askOnce(url, method, signal), retries);
  } catch (error) {
    if (signal.aborted || error instanceof RerankError) throw error;
    throw await unreachable('The model folder', url, error, signal);
  }
}

/**
 * @param {string} url
 * @param {'HEAD' | 'GET'} method
 * @param {AbortSignal} signal
 */
async function askOnce(url, method, signal) {
  // Not from the browser's cache: the question is what the host has now.
  const response = await fetchInTime(url, { method, signal, cache: 'no-store' });
  if (method === 'GET') await response.body?.cancel(); // only what it says of the file is wanted
  const { status } = response;
  if (!isPassing(status) || status === 501) return response;
  throw badAnswer('The model folder', status, retryOf(response));
}

/**
 * @param {string[]} missing
 * @param {Answer[]} answers
 */
function incomplete(missing, answers) {
  const first = answers.find(({ spec }) => !spec);
  if (first && [401, 403].includes(first.status))
    return badAnswer('The model folder', first.status);
  const usual = Object.values(MODEL_PATHS).map((paths) => paths[0]);
  const page = answers.some(({ page, path }) => page && missing.includes(path));
  const why = page ? ', as its host answers with a web page instead' : '';
  return new RerankError(
    'model_load',
    `The model folder has no ${missing.join(', no ')}${why}. Check its address: a folder needs ` +
      `config.json, tokenizer.json and an ONNX file, such as ${usual.join(', ')}.`,
    { retryable: false },
  );
}
