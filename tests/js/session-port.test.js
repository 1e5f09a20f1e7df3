// The Python worker's end of a session: a session that says nothing is given up, however often it is
// asked anew.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { PATIENCE_MS } from '../../web/lib/patience.js';
import { replacedInTime, SessionPort } from '../../web/workers/session-port.js';
import { fakeClock } from './clock.js';

/** For a run of one token. */
const LIMIT_MS = PATIENCE_MS.session + PATIENCE_MS.token;
const SILENT = /has not answered for 90 seconds/;
const LOGITS = new Float32Array([1]);

let clock;
let port;
let session;

beforeEach(() => {
  mock.restoreAll();
  clock = fakeClock();
  port = { sent: [], closed: false, postMessage: (message) => port.sent.push(message) };
  port.close = () => (port.closed = true);
  session = new SessionPort(port);
});

const say = (message) => port.onmessage({ data: message });

/** Begin a run; answers with its promise, whose rejection is not reported. */
function run(id) {
  const promise = session.run(id, { input_ids: new BigInt64Array(1) }, 'logits', 1, 1);
  promise.catch(() => {});
  return promise;
}

test('a run settles with its logits, or with its error', async () => {
  const [first, second] = [run(1), run(2)];
  say({ type: 'begun', id: 1 });
  say({ type: 'logits', id: 1, logits: LOGITS });
  say({ type: 'failed', id: 2, error: { code: 'inference', message: 'no' } });
  assert.equal(await first, LOGITS);
  await assert.rejects(second, { code: 'inference' });
});

test('a dead session is given up, though runs are asked for and dropped again and again', async () => {
  let last;
  for (let id = 1; id <= 3; id++) {
    last = run(id);
    clock.pass(LIMIT_MS / 2 - 1);
    if (id < 3) session.drop(id);
  }
  clock.pass(2);
  await assert.rejects(last, SILENT);
  await assert.rejects(run(4), SILENT, 'and what it is asked then fails at once');
});

test('the same if it has begun one and hangs in it', async () => {
  run(1);
  say({ type: 'begun', id: 1 });
  session.drop(1);
  clock.pass(LIMIT_MS - 1);
  const next = run(2);
  clock.pass(1);
  await assert.rejects(next, SILENT);
});

for (const type of ['begun', 'logits', 'dropped']) {
  test(`a session that says '${type}' is alive`, async () => {
    run(1);
    const other = run(2);
    clock.pass(LIMIT_MS - 1);
    say({ type, id: 1, logits: LOGITS });
    clock.pass(LIMIT_MS - 1);
    say({ type: 'logits', id: 2, logits: LOGITS });
    assert.equal(await other, LOGITS);
  });
}

test('more tokens are given more time', async () => {
  const long = session.run(1, {}, 'logits', 2, 8192);
  const limit = PATIENCE_MS.session + 2 * 8192 * PATIENCE_MS.token;
  clock.pass(limit - 1);
  assert.equal(session.busy, true);
  clock.pass(1);
  await assert.rejects(long, /has not answered for 1728 seconds/);
  assert.equal(session.busy, false);
});

test('one that speaks again after it was given up is used again', async () => {
  run(1);
  clock.pass(LIMIT_MS);
  await assert.rejects(run(2), SILENT);
  say({ type: 'logits', id: 1, logits: LOGITS });
  const next = run(3);
  say({ type: 'logits', id: 3, logits: LOGITS });
  assert.equal(await next, LOGITS);
});

test('a computer that slept loses nothing', async () => {
  const slept = run(1);
  clock.sleep(100 * LIMIT_MS);
  say({ type: 'logits', id: 1, logits: LOGITS });
  assert.equal(await slept, LOGITS);
});

test('dropped runs reject, are told to the session, and what it computes of them is known', async () => {
  const dropped = run(1);
  say({ type: 'begun', id: 1 });
  session.drop(1);
  await assert.rejects(dropped, { name: 'AbortError' });
  assert.deepEqual(port.sent.at(-1), { type: 'drop', id: 1 });
  assert.equal(session.computingCancelled, true);
  say({ type: 'logits', id: 1, logits: LOGITS });
  assert.equal(session.computingCancelled, false);
});

for (const stopped of [false, true]) {
  test(`a session that ends (${stopped ? 'stopped' : 'dead'}) lets what had not begun run elsewhere`, async () => {
    const [begun, waiting] = [run(1), run(2)];
    say({ type: 'begun', id: 1 });
    session.close(stopped);
    assert.equal(await waiting, undefined);
    if (stopped) assert.equal(await begun, undefined);
    else await assert.rejects(begun, { code: 'worker_crashed' });
    assert.equal(port.closed, true);
  });
}

test('a session is waited for as long as one may take to be replaced', async () => {
  const never = replacedInTime({ copy: () => new Promise(() => {}) });
  clock.pass(PATIENCE_MS.replacement);
  await assert.rejects(never, { code: 'worker_crashed', retryable: true });
  await replacedInTime({ copy: () => Promise.resolve() });
  assert.ok(PATIENCE_MS.replacement < PATIENCE_MS.worker, 'or Python, silent meanwhile, is ended');
});
