// The clocks: what counts as silence, and what ends it.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { OwedAnswers, SilenceClock, withinTime } from '../../web/lib/patience.js';
import { fakeClock } from './clock.js';

const LIMIT = 80_000;

let clock;

beforeEach(() => {
  mock.restoreAll();
  clock = fakeClock();
});

function started() {
  const onSilence = mock.fn();
  const silence = new SilenceClock(onSilence);
  silence.start(LIMIT);
  return { silence, times: () => onSilence.mock.callCount() };
}

test('silence is told once, when the limit is over', () => {
  const { times } = started();
  clock.pass(LIMIT - 1);
  assert.equal(times(), 0);
  clock.pass(1);
  assert.equal(times(), 1);
  clock.pass(10 * LIMIT);
  assert.equal(times(), 1);
});

test('a start anew counts from then; a clock that was stopped tells nothing', () => {
  const { silence, times } = started();
  clock.pass(LIMIT - 1);
  silence.start(LIMIT);
  clock.pass(LIMIT - 1);
  assert.equal(times(), 0);
  silence.stop();
  clock.pass(LIMIT);
  assert.equal(times(), 0);
});

test('however long the computer sleeps, that is one step of eight', () => {
  const { times } = started();
  clock.sleep(100 * LIMIT);
  assert.equal(times(), 0);
  clock.pass((LIMIT * 7) / 8 - 1);
  assert.equal(times(), 0);
  clock.pass(1);
  assert.equal(times(), 1);
});

function owing() {
  const silent = [];
  return { owed: new OwedAnswers((id) => silent.push(id)), silent };
}

test('what is asked for later does not prolong what is owed already', () => {
  const { owed, silent } = owing();
  for (let id = 1; id <= 3; id++) {
    owed.expect(id, LIMIT);
    clock.pass(LIMIT / 2);
  }
  assert.deepEqual(silent, [1, 2]);
});

test('an answer to one gives the others time; silence is told of each that waits', () => {
  const { owed, silent } = owing();
  owed.expect(1, LIMIT);
  owed.expect(2, LIMIT);
  clock.pass(LIMIT - 1);
  owed.heard();
  owed.settle(1);
  clock.pass(LIMIT - 1);
  assert.deepEqual(silent, []);
  clock.pass(1);
  assert.deepEqual(silent, [2]);
});

test('a longer patience of one does not shield another', () => {
  const { owed, silent } = owing();
  owed.expect(1, 10 * LIMIT);
  owed.expect(2, LIMIT);
  clock.pass(LIMIT);
  assert.deepEqual(silent, [2]);
});

test('nothing is told of what was cleared', () => {
  const { owed, silent } = owing();
  owed.expect(1, LIMIT);
  owed.clear();
  clock.pass(LIMIT);
  assert.deepEqual(silent, []);
});

test('withinTime settles as the promise does, or rejects once the limit is over', async () => {
  const late = () => new Error('late');
  assert.equal(await withinTime(Promise.resolve(1), LIMIT, late), 1);
  await assert.rejects(withinTime(Promise.reject(new Error('own')), LIMIT, late), /own/);
  const never = withinTime(new Promise(() => {}), LIMIT, late);
  clock.pass(LIMIT);
  await assert.rejects(never, /late/);
});
