// A clock for tests. It can sleep: timers that fell due meanwhile fire when it wakes, as in
// browsers. Node's own mock timers know no sleep, and are late with timers that timers start.

import { mock } from 'node:test';

/** Takes the place of the real timers until `mock.restoreAll()`. */
export function fakeClock() {
  let now = 0;
  let lastId = 0;
  /** @type {Map<number, { at: number, work: () => void }>} */
  const timers = new Map();
  mock.method(globalThis, 'setTimeout', (work, ms) => {
    timers.set(++lastId, { at: now + ms, work });
    return lastId;
  });
  mock.method(globalThis, 'clearTimeout', (id) => timers.delete(id));

  const fire = (due) => {
    for (const id of due) {
      const timer = timers.get(id);
      timers.delete(id);
      timer?.work();
    }
  };
  const dueAt = (time) => [...timers].filter(([, { at }]) => at <= time).map(([id]) => id);

  return {
    /** How many have not fired. */
    timers: () => timers.size,
    /** Nothing runs for so long; then what fell due fires. */
    sleep(ms) {
      now += ms;
      fire(dueAt(now));
    },
    /** Time passes as usual. */
    pass(ms) {
      const end = now + ms;
      for (;;) {
        const next = Math.min(...[...timers.values()].map(({ at }) => at));
        if (next > end) break;
        now = next;
        fire(dueAt(now));
      }
      now = end;
    },
  };
}
