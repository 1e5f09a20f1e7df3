// The worker's end of its calls.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { PROTOCOL } from '../../web/lib/protocol.js';

let said;
let serve;

beforeEach(async () => {
  said = [];
  globalThis.self = globalThis;
  globalThis.postMessage = (message) => said.push(message);
  ({ serve } = await import('../../web/workers/serve.js'));
});

const ask = (id, name, payload, v = PROTOCOL) =>
  self.onmessage({ data: { v, id, type: 'call', name, payload } });

test('it says that it runs, before it is asked anything', () => {
  serve({});
  assert.deepEqual(said, [{ id: 0, type: 'started' }]);
});

test('answers, events and errors carry the id of the call', async () => {
  serve({
    double: (n, { emit }) => (emit('half'), 2 * n),
    fail: () => Promise.reject(new TypeError('SECRET')),
  });
  await ask(1, 'double', 21);
  await ask(2, 'fail');
  const [, event, done, failed] = said;
  assert.deepEqual(event, { id: 1, type: 'event', value: 'half' });
  assert.deepEqual(done, { id: 1, type: 'done', value: 42 });
  assert.deepEqual([failed.id, failed.type, failed.error.code], [2, 'failed', 'internal']);
  assert.ok(!JSON.stringify(said).includes('SECRET'));
});

test('a cancel aborts the handler, and what it owed is answered all the same', async () => {
  serve({
    wait: (_payload, { signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });
  const call = ask(1, 'wait');
  self.onmessage({ data: { v: PROTOCOL, id: 1, type: 'cancel' } });
  await call;
  assert.deepEqual(said.at(-1), { id: 1, type: 'cancelled' });
  self.onmessage({ data: { v: PROTOCOL, id: 1, type: 'cancel' } }); // too late: nothing happens
  assert.equal(said.length, 2);
});

test('a call of another release, or one that is not known, fails', async () => {
  serve({ known: () => 1 });
  await ask(1, 'known', null, PROTOCOL - 1);
  await ask(2, 'toString');
  assert.deepEqual(
    said.slice(1).map(({ id, type, error }) => [id, type, error.code]),
    [
      [1, 'failed', 'worker_crashed'],
      [2, 'failed', 'worker_crashed'],
    ],
  );
});
