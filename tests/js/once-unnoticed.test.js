// Found by `python build.py mutate`: each of these was broken without any other test noticing. Most
// are about letting go of what is settled: no clock runs on, no listener stays.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { beforeEach, mock, test } from 'node:test';

import { PATIENCE_MS } from '../../web/lib/patience.js';
import { WorkerClient } from '../../web/lib/worker-client.js';
import { SessionPort } from '../../web/workers/session-port.js';
import { fakeClock } from './clock.js';

/** The patience with a run of one token. */
const LIMIT_MS = PATIENCE_MS.session + PATIENCE_MS.token;
const LOGITS = new Float32Array([1]);

let clock;
/** The worker that was made last, and the session's port: what the other end would say. */
let worker;
let port;

beforeEach(() => {
  mock.restoreAll();
  clock = fakeClock();
  port = { postMessage() {}, close() {} };
  globalThis.Worker = class {
    constructor() {
      worker = this;
    }
    postMessage() {}
    terminate() {}
  };
});

const say = (message) => worker.onmessage({ data: message });
const sessionSays = (message) => port.onmessage({ data: message });

/** Begin a run; its rejection is not reported. */
function run(session, id) {
  const [ids, mask, types] = Array.from({ length: 3 }, () => new BigInt64Array(1));
  const feeds = { input_ids: ids, attention_mask: mask, token_type_ids: types };
  const promise = session.run(id, feeds, 'logits', 1, 1);
  promise.catch(() => {});
  return promise;
}

for (const [how, message] of Object.entries({
  answered: { type: 'done' },
  failed: { type: 'failed', error: { code: 'inference', message: 'no' } },
})) {
  test(`a call that is ${how} leaves no listener on its signal and no clock`, async () => {
    const { signal } = new AbortController();
    const call = new WorkerClient('worker.js', 'test worker').call('rerank', 1, { signal });
    assert.equal(getEventListeners(signal, 'abort').length, 1);
    say({ id: 1, ...message });
    await call.catch(() => {});
    assert.equal(getEventListeners(signal, 'abort').length, 0);
    assert.equal(clock.timers(), 0);
  });
}

test('what could not be sent leaves no listener on its signal and no clock', async () => {
  const { signal } = new AbortController();
  const client = new WorkerClient('worker.js', 'test worker');
  say({ id: 0, type: 'started' });
  worker.postMessage = () => {
    throw new DOMException('no clone', 'DataCloneError');
  };
  await assert.rejects(client.call('rerank', 1, { signal }), { code: 'out_of_memory' });
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  assert.equal(clock.timers(), 0);
});

test('an error that its calls report is not reported a second time', () => {
  const preventDefault = mock.fn();
  new WorkerClient('worker.js', 'test worker');
  worker.onerror({ preventDefault, message: 'dead' });
  assert.equal(preventDefault.mock.callCount(), 1);
});

test('a worker that cancels a call by itself fails it, and is named', async () => {
  const call = new WorkerClient('worker.js', 'test worker').call('rerank', 1);
  say({ id: 1, type: 'cancelled' });
  await assert.rejects(call, { code: 'internal', message: /The test worker cancelled/ });
});

test('a worker that began and then fell silent is not said to have never started', async () => {
  const call = new WorkerClient('worker.js', 'test worker').call('rerank', 1);
  say({ id: 0, type: 'started' });
  clock.pass(PATIENCE_MS.worker);
  await assert.rejects(call, { message: /The test worker has not answered in time/ });
});

test('a run that is answered is owed no longer: an idle session may be silent for ever', async () => {
  const session = new SessionPort(port);
  const first = run(session, 1);
  sessionSays({ type: 'logits', id: 1, logits: LOGITS });
  await first;
  assert.equal(clock.timers(), 0);
  clock.pass(2 * LIMIT_MS);
  const next = run(session, 2);
  sessionSays({ type: 'logits', id: 2, logits: LOGITS });
  assert.equal(await next, LOGITS);
});

test('a run is sent, and its arrays are handed over, not copied', () => {
  let sent;
  const session = new SessionPort({ postMessage: (...given) => (sent = given) });
  run(session, 7);
  const [{ type, id }, transferred] = sent;
  assert.deepEqual([type, id], ['run', 7]);
  assert.equal(transferred.length, 3);
  assert.ok(transferred.every((buffer) => buffer instanceof ArrayBuffer));
});

test('a session that was given up computes nothing that could be stopped', () => {
  const session = new SessionPort(port);
  run(session, 1);
  sessionSays({ type: 'begun', id: 1 });
  clock.pass(LIMIT_MS);
  assert.equal(session.computingCancelled, false);
});

test('a session that ended has no clock left', () => {
  const session = new SessionPort(port);
  run(session, 1);
  session.close(false);
  assert.equal(clock.timers(), 0);
});

test('runs given up with a silent session are not held against it once it speaks again', async () => {
  const session = new SessionPort(port);
  run(session, 1);
  clock.pass(LIMIT_MS / 2);
  run(session, 2);
  clock.pass(LIMIT_MS / 2);
  sessionSays({ type: 'logits', id: 1, logits: LOGITS });
  clock.pass(2 * LIMIT_MS);
  const next = run(session, 3);
  sessionSays({ type: 'logits', id: 3, logits: LOGITS });
  assert.equal(await next, LOGITS);
});

test('whoever waits for another waits longer than it', () => {
  const { worker: usual, session, replacement, file, loading } = PATIENCE_MS;
  assert.ok(session < usual && replacement < usual, 'Python tells the page, not the other way');
  assert.ok(usual < file && file < loading);
  assert.ok(loading <= 30 * 60_000);
});
