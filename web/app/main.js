/**
 * @file The composition root: the only file that knows every piece of the page.
 *
 * One thing runs at a time, and `running` is its AbortController. It is always the same two steps:
 * load the model (nothing to do if it is here), rank what is `wanted` (nothing to do if nobody has
 * asked). So a click while the model loads only sets `wanted`, and Cancel stops whatever runs. To
 * choose another model stops it too, and runs the two steps again.
 */

import { Activity } from './activity.js';
import { byId } from './by-id.js';
import { failureWords } from './failure-words.js';
import { Inputs } from './inputs.js';
import { followLoad } from './load-progress.js';
import { BUNDLED, named } from './model-choice.js';
import { forgetModel, recallModel, rememberModel } from './model-memory.js';
import { ModelPanel } from './model-panel.js';
import { OfflineNotice } from './offline-notice.js';
import { keepOffline } from './offline.js';
import { RerankerLoader } from './reranker-loader.js';
import { ResultList } from './result-list.js';
import { cancelledWords, rankedWords, readyWords } from './run-words.js';

/** @import { Failure, ModelChoice, Progress, RankingRequest, Reranker, Words } from './types.js' */

byId('not-started', HTMLElement).remove(); // it is for those whom this line never reaches

const OTHER_MODEL = new DOMException('Another model was chosen.', 'AbortError');

/** @type {AbortController | null} */
let running = null;
/** @type {RankingRequest | null} */
let wanted = null;
/** @type {ModelChoice | null} what did not load, so that another is in use */
let unloaded = null;
/** @type {Progress} */
let loadProgress;

const loader = new RerankerLoader(named(recallModel() ?? BUNDLED.name));
const results = new ResultList();
const inputs = new Inputs({
  onRerank: rerank,
  onCancel: () => running?.abort(),
  onChange: (values) => results.compare(values),
});
const activity = new Activity(retry);
const offlineNotice = new OfflineNotice();
const panel = new ModelPanel({
  onChoose: useModel,
  onRefused: dropUnloaded,
  onKept: kept,
  onListed: listed,
});

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

function retry() {
  if (unloaded) useModel(unloaded);
  else if (wanted) rerank();
  else void run();
}

/** @param {ModelChoice} choice */
function useModel(choice) {
  unloaded = null;
  loader.choose(choice);
  if (running) running.abort(OTHER_MODEL);
  else void run();
  activity.bringIntoView();
}

/** The address before this one is of no interest any more, nor is it to be tried again. */
function dropUnloaded() {
  if (!unloaded || !activity.hasFailure) return;
  unloaded = wanted = null;
  activity.status(ready());
}

/**
 * Do what there is to do, and show how it ended. Never rejects.
 *
 * @param {Failure | null} [failure] of the model before: the one that loads now is its stand-in
 */
async function run(failure = null) {
  running = new AbortController();
  const { signal } = running;
  /** @type {Failure | null} */
  let again = null;
  try {
    const reranker = await load(signal);
    if (failure) activity.failure(failure);
    else activity.status(wanted ? await rank(reranker, wanted, signal) : ready());
    if (!failure) wanted = null;
  } catch (error) {
    if (signal.reason !== OTHER_MODEL) again = ended(error, signal.aborted);
  } finally {
    running = null;
    results.setBusy(false);
    showButtons();
    showModel();
  }
  if (signal.reason === OTHER_MODEL) await run();
  else if (again) await run(again);
}

/** @param {AbortSignal} signal */
async function load(signal) {
  if (loader.loaded) return loader.load(signal, () => {});
  const progressOf = followLoad();
  loadProgress = { words: 'Starting the engine', fraction: 0 };
  const loading = loader.load(signal, (event) => {
    loadProgress = progressOf(event);
    showLoading();
  });
  showLoading();
  showModel();
  const reranker = await loading;
  const { model } = loader.inUse.choice;
  const isStandIn = unloaded !== null; // which nobody chose
  if (typeof model === 'string' && !isStandIn) rememberModel(model);
  return reranker;
}

/**
 * Show how a run failed. Where it was the model that did not load, the one before is taken again.
 *
 * @param {unknown} error
 * @param {boolean} cancelled
 * @returns {Failure | null} what to show once the model before is loaded again, if it has to be
 */
function ended(error, cancelled) {
  const { choice } = loader.inUse;
  const { loaded } = loader; // before it falls back to one that is
  const standIn = loaded || (cancelled && !loader.hasWorked) ? null : loader.fallBack();
  if (cancelled) {
    wanted = null;
    activity.status(cancelledWords(standIn));
    return null;
  }
  unloaded = standIn && choice;
  const failure = failureWords(error, { loaded, choice, standIn });
  if (standIn && !failure.retryable && choice.model === choice.name) forgetModel(choice.name);
  if (standIn && !loader.loaded) return failure;
  activity.failure(failure);
  return null;
}

/**
 * @param {Reranker} reranker
 * @param {RankingRequest} request
 * @param {AbortSignal} signal
 * @returns {Promise<Words>}
 */
async function rank(reranker, request, signal) {
  const { query, documents } = request;
  /** @param {{ done: number, total: number }} progress */
  const show = ({ done, total }) =>
    activity.progress('Ranking.', {
      words: `Ranking, ${done} of ${total}`,
      fraction: total ? done / total : 0,
    });
  showButtons();
  results.setBusy(true);
  show({ done: 0, total: documents.length });
  const ranking = await reranker.rerank({ query, documents, signal, onProgress: show });
  results.show(ranking.results, request);
  results.compare(inputs.read()); // which may have changed meanwhile
  return rankedWords(ranking);
}

/** @param {ModelChoice} choice the model in use, from files before */
function kept(choice) {
  loader.keptAs(choice);
  rememberModel(choice.name);
  showModel();
}

/** @param {Set<string>} names of the models on this device */
function listed(names) {
  loader.stored(names);
  showModel();
}

function ready() {
  return readyWords(loader.inUse.choice);
}

function showModel() {
  panel.inUse(loader.inUse, running !== null);
  offlineNotice.model(loader.inUse.keeping);
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
