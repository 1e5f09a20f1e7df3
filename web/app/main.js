/**
 * @file The composition root: the only file that knows every piece of the page.
 *
 * One thing runs at a time, and `running` is its AbortController. It is always the same two steps:
 * load the model (nothing to do if it is here), rank what is `wanted` (nothing to do if nobody has
 * asked). So a click while the model loads only sets `wanted`, and Cancel stops whatever runs.
 */

import { createReranker } from '../webrerank.js';
import { Activity } from './activity.js';
import { failureWords } from './failure-words.js';
import { Inputs } from './inputs.js';
import { followLoad } from './load-progress.js';
import { OfflineNotice } from './offline-notice.js';
import { keepOffline } from './offline.js';
import { RerankerLoader } from './reranker-loader.js';
import { ResultList } from './result-list.js';
import { CANCELLED, READY, rankedWords } from './run-words.js';

/** @import { Progress, RankingRequest, Reranker, Words } from './types.js' */

/** @type {AbortController | null} */
let running = null;
/** @type {RankingRequest | null} */
let wanted = null;
/** @type {Progress} */
let loadProgress;

const loader = new RerankerLoader(create);
const results = new ResultList();
const inputs = new Inputs({ onRerank: rerank, onCancel: () => running?.abort() });
const activity = new Activity(() => (wanted ? rerank() : void run()));
const offlineNotice = new OfflineNotice();

await run();
// Only now: keeping the site must not compete with loading it.
void keepOffline(offlineNotice);

function rerank() {
  const request = inputs.read();
  const complaint = inputs.complain(request);
  if (complaint && !running) activity.failure({ message: complaint, retryable: false });
  if (complaint) return;
  wanted = request;
  if (running) showLoading();
  else void run();
}

/** Do what there is to do, and show how it ended. Never rejects. */
async function run() {
  running = new AbortController();
  const { signal } = running;
  try {
    const loading = loader.load(signal);
    showLoading();
    const reranker = await loading;
    offlineNotice.modelIsHere();
    activity.status(wanted ? await rank(reranker, wanted, signal) : READY);
    wanted = null;
  } catch (error) {
    if (signal.aborted) wanted = null;
    if (signal.aborted) activity.status(CANCELLED);
    else activity.failure(failureWords(error, loader.loaded));
  } finally {
    running = null;
    results.setBusy(false);
    showButtons();
  }
}

/** @param {AbortSignal} signal */
function create(signal) {
  const progressOf = followLoad();
  loadProgress = { words: 'Starting the engine', fraction: 0 };
  return createReranker({
    signal,
    onProgress: (event) => {
      if (signal.aborted) return;
      loadProgress = progressOf(event);
      showLoading();
    },
  });
}

/**
 * @param {Reranker} reranker
 * @param {RankingRequest} request
 * @param {AbortSignal} signal
 * @returns {Promise<Words>}
 */
async function rank(reranker, { query, documents }, signal) {
  /** @param {{ done: number, total: number }} progress */
  const show = ({ done, total }) =>
    activity.progress('Ranking.', {
      words: `Ranking, ${done} of ${total}`,
      fraction: total ? done / total : 0,
    });
  results.setBusy(true);
  show({ done: 0, total: documents.length });
  const ranking = await reranker.rerank({ query, documents, signal, onProgress: show });
  results.show(ranking.results, documents);
  return rankedWords(ranking);
}

function showLoading() {
  showButtons();
  if (loader.loaded) return;
  const note = wanted ? 'Your documents are ranked as soon as it is loaded.' : '';
  activity.progress(`Loading the model. ${note}`, { ...loadProgress, note });
}

function showButtons() {
  inputs.setButtons({ canRerank: !(running && wanted), canCancel: running !== null });
}
