// The page's end of a worker: calls settle once, and a worker that says nothing is given up.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { RerankError } from '../../web/lib/errors.js';
import { FIRST_PAUSE_MS, PATIENCE_MS } from '../../web/lib/patience.js';
import { PROTOCOL } from '../../web/lib/protocol.js';
import { WorkerClient } from '../../web/lib/worker-client.js';
import { fakeClock } from './clock.js';

const MINUTE = 60_000;

/** The worker that was made last. */
let worker;
let clock;

const SCRIPT = { 'content-type': 'text/javascript' };

class FakeWorker {
  constructor() {
    worker = this;
    this.sent = [];
    this.terminated = false;
  }

  postMessage(message) {
    if (message.payload instanceof Function) throw new DOMException('no clone', 'DataCloneError');
    this.sent.push(message);
  }

  terminate() {
    this.terminated = true;
  }

  say(message) {
    this.onmessage({ data: message });
  }
}

beforeEach(() => {
  mock.restoreAll();
  clock = fakeClock();
  globalThis.Worker = FakeWorker;
});

/** A client whose worker has started, and how often that was said to have died. */
function newClient({ started = true } = {}) {
  const onEnd = mock.fn();
  const client = new WorkerClient('https://site.test/worker.js', 'test worker', onEnd);
  if (started) worker.say({ id: 0, type: 'started' });
  return { client, onEnd };
}

/** How a call stands: 'pending', its value, or the code of its error. */
function watched(call) {
  const seen = { state: 'pending' };
  call.then(
    (value) => (seen.state = value),
    (error) => (seen.state = error.code ?? error),
  );
  return seen;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** It has looked at what the host has to say, which takes PATIENCE_MS.refusal. */
async function looked() {
  for (let turn = 0; turn < 15; turn++) {
    clock.pass(PATIENCE_MS.refusal / 10);
    await settled();
  }
}

test('answers, events and errors go to the call they belong to', async () => {
  const { client } = newClient();
  const events = [];
  const first = watched(client.call('a', 1, { onEvent: (value) => events.push(value) }));
  const second = watched(client.call('b', 2));
  worker.say({ id: 1, type: 'event', value: 'half' });
  worker.say({ id: 2, type: 'failed', error: { code: 'inference', message: 'no' } });
  worker.say({ id: 1, type: 'done', value: 'whole' });
  worker.say({ id: 1, type: 'event', value: 'late' });
  await settled();
  assert.deepEqual([first.state, second.state, events], ['whole', 'inference', ['half']]);
});

test('a dead worker is given up after its patience, though the page calls and aborts each minute', async () => {
  const { client, onEnd } = newClient();
  let minutes = 0;
  for (; !worker.terminated && minutes < 30; minutes++) {
    const controller = new AbortController();
    client.call('rerank', minutes, { signal: controller.signal }).catch(() => {});
    clock.pass(MINUTE);
    controller.abort();
    await settled();
  }
  assert.equal(minutes * MINUTE, PATIENCE_MS.worker);
  assert.equal(onEnd.mock.calls[0].arguments[0].code, 'worker_crashed');
});

test('the same if the calls are not aborted, and all of them fail', async () => {
  const { client } = newClient();
  const calls = [];
  for (let minute = 0; !worker.terminated && minute < 30; minute++) {
    calls.push(watched(client.call('rerank', minute)));
    clock.pass(MINUTE);
  }
  await settled();
  assert.equal(calls.length * MINUTE, PATIENCE_MS.worker);
  assert.deepEqual(new Set(calls.map(({ state }) => state)), new Set(['worker_crashed']));
});

test('a call that may take long does not shield a worker that owes another an answer', async () => {
  const { client } = newClient();
  const long = watched(client.call('boot', null, { patienceMs: PATIENCE_MS.loading }));
  clock.pass(MINUTE);
  const short = watched(client.call('rerank', null));
  clock.pass(PATIENCE_MS.worker);
  await settled();
  assert.deepEqual([long.state, short.state], ['worker_crashed', 'worker_crashed']);
});

for (const what of ['event', 'done', 'cancelled', 'started']) {
  test(`a worker that says '${what}' is alive`, async () => {
    const { client } = newClient();
    const controller = new AbortController();
    client.call('other', null, { signal: controller.signal }).catch(() => {});
    const call = watched(client.call('rerank', null));
    if (what === 'cancelled') controller.abort();
    clock.pass(PATIENCE_MS.worker - 1);
    worker.say({ id: 1, type: what });
    clock.pass(PATIENCE_MS.worker - 1);
    await settled();
    assert.equal(call.state, 'pending');
    clock.pass(1);
    await settled();
    assert.equal(call.state, 'worker_crashed');
  });
}

test('a worker that tells how far it is, and then nothing, is given up', async () => {
  const { client } = newClient();
  const call = watched(client.call('rerank', null));
  worker.say({ id: 1, type: 'event', value: 'half' });
  clock.pass(PATIENCE_MS.worker);
  await settled();
  assert.equal(call.state, 'worker_crashed');
});

test('an idle worker may be silent for ever, and has its whole patience for the next call', async () => {
  const { client } = newClient();
  const first = client.call('rerank', null);
  worker.say({ id: 1, type: 'done', value: 'done' });
  await first;
  clock.pass(100 * PATIENCE_MS.worker);
  const next = watched(client.call('rerank', null));
  clock.pass(PATIENCE_MS.worker - 1);
  await settled();
  assert.equal(next.state, 'pending');
  assert.equal(worker.terminated, false);
});

test('a computer that slept loses nothing', async () => {
  const { client } = newClient();
  const call = watched(client.call('rerank', null));
  clock.pass(MINUTE / 2);
  clock.sleep(100 * PATIENCE_MS.worker);
  worker.say({ id: 1, type: 'done', value: 'slept' });
  await settled();
  assert.equal(call.state, 'slept');
});

test('a worker that says it is alive is waited for', async () => {
  const { client } = newClient();
  const call = watched(client.call('rerank', null));
  for (let times = 0; times < 5; times++) {
    clock.pass(PATIENCE_MS.worker - 1);
    worker.say({ id: 0, type: 'alive' });
  }
  worker.say({ id: 1, type: 'done', value: 'late' });
  await settled();
  assert.equal(call.state, 'late');
});

test('a worker that never began says so', async () => {
  const { client } = newClient({ started: false });
  const call = client.call('list', null);
  clock.pass(PATIENCE_MS.worker);
  const error = await call.catch((reason) => reason);
  assert.match(error.message, /did not start in time/);
  assert.ok(error.cause && error.retryable);
});

test('nothing is sent to a worker before it began', async () => {
  const { client } = newClient({ started: false });
  const call = watched(client.call('rerank', 'payload'));
  assert.deepEqual(worker.sent, []);
  worker.say({ id: 0, type: 'started' });
  assert.equal(worker.sent[0].payload, 'payload');
  worker.say({ id: 1, type: 'done', value: 'late' });
  await settled();
  assert.equal(call.state, 'late');
});

test('a script that does not load is loaded again, and nothing is lost', async () => {
  mock.method(globalThis, 'fetch', async () => Response.json('', { headers: SCRIPT }));
  const { client, onEnd } = newClient({ started: false });
  const call = watched(client.call('rerank', 'payload'));
  const first = worker;
  for (let time = 0; time <= 3; time++) {
    assert.equal(onEnd.mock.callCount(), 0);
    worker.onerror({ preventDefault() {} });
    await looked();
    clock.pass(FIRST_PAUSE_MS * 2 ** time);
  }
  await settled();
  assert.equal(first.terminated, true);
  assert.notEqual(worker, first);
  assert.equal(call.state, 'worker_crashed', 'but not for ever');
  const again = newClient({ started: false });
  const kept = watched(again.client.call('rerank', 'payload'));
  const failed = worker;
  failed.onerror({ preventDefault() {} });
  failed.onerror({ preventDefault() {} }); // told twice
  await looked();
  clock.pass(FIRST_PAUSE_MS);
  worker.say({ id: 0, type: 'started' });
  clock.pass(2 * FIRST_PAUSE_MS);
  assert.equal(worker.terminated, false);
  assert.equal(worker.sent[0].payload, 'payload');
  worker.say({ id: 1, type: 'done', value: 'kept' });
  await settled();
  assert.equal(kept.state, 'kept');
});

test('an abort rejects at once with the reason, and the worker is told', async () => {
  const { client } = newClient();
  const controller = new AbortController();
  const call = watched(client.call('rerank', null, { signal: controller.signal }));
  controller.abort('mine');
  await settled();
  assert.equal(call.state, 'mine');
  assert.deepEqual(worker.sent[1], { v: PROTOCOL, id: 1, type: 'cancel' });
  worker.say({ id: 1, type: 'done', value: 'late' });
  const before = watched(client.call('rerank', null, { signal: controller.signal }));
  await settled();
  assert.equal(before.state, 'mine');
  assert.equal(worker.sent.length, 2, 'what was aborted before is not sent');
});

test('what cannot be sent is owed no answer', async () => {
  const { client } = newClient();
  const call = watched(client.call('rerank', () => {}));
  await settled();
  assert.equal(call.state, 'out_of_memory');
  clock.pass(2 * PATIENCE_MS.worker);
  assert.equal(worker.terminated, false);
});

for (const die of ['onerror', 'onmessageerror']) {
  test(`a worker that dies (${die}) rejects all that is pending, once`, async () => {
    const { client, onEnd } = newClient();
    const calls = [1, 2].map((n) => watched(client.call('rerank', n)));
    worker[die]({ preventDefault() {}, message: 'dead' });
    worker[die]({ preventDefault() {}, message: 'dead' });
    await settled();
    assert.deepEqual(
      calls.map(({ state }) => state),
      ['worker_crashed', 'worker_crashed'],
    );
    assert.equal(onEnd.mock.callCount(), 1);
    const after = watched(client.call('rerank', 3));
    await settled();
    assert.equal(after.state, 'worker_crashed');
  });
}

test('a worker that is ended rejects with the error given, and is not said to have died', async () => {
  const { client, onEnd } = newClient();
  const call = watched(client.call('rerank', 1));
  client.end(new RerankError('disposed', 'over'));
  assert.equal(clock.timers(), 0);
  await settled();
  assert.equal(call.state, 'disposed');
  assert.equal(onEnd.mock.callCount(), 0);
  assert.equal(worker.terminated, true);
});
