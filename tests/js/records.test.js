// What is stored is believed only as far as it is as it was written.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CHUNK_BYTES, isChunkKey, isSound } from '../../web/lib/store/records.js';

const validator = { etag: '"1"', date: null, length: 0 };
const spec = (path) => ({ path, url: null, bytes: 1, sha256: `hash of ${path}`, validator });
const paths = ['config.json', 'tokenizer.json', 'onnx/model.onnx'];

const GOOD = {
  files: {
    sha256: 'ab',
    id: 'x',
    bytes: CHUNK_BYTES + 1,
    chunks: ['1', '2'],
    url: 'https://a.b/c',
    validator: null,
  },
  partials: { id: 'x', key: null, name: 'mine', at: 1, bytes: 0, chunks: [], validator },
  releases: {
    name: 'mine',
    id: 'mine',
    kind: 'disk',
    base: null,
    revision: null,
    files: Object.fromEntries(paths.map((path) => [path, spec(path)])),
    models: { fp32: 'onnx/model.onnx' },
    used: { fp32: paths },
    storedAt: 1,
    lastUsed: 1,
  },
};

/** Each value in a record, by the way to it. */
function* placesIn(value, way = []) {
  for (const [name, inner] of Object.entries(value)) {
    yield [...way, name];
    if (inner && typeof inner === 'object') yield* placesIn(inner, [...way, name]);
  }
}

/** A copy of a record with another value at a place. */
function changed(record, way, value) {
  const copy = structuredClone(record);
  const last = way.at(-1);
  const holder = way.slice(0, -1).reduce((inner, name) => inner[name], copy);
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return copy;
}

for (const [store, record] of Object.entries(GOOD)) {
  test(`a record of ${store} is believed, and with any value of another type it is not`, () => {
    assert.ok(isSound(store, record));
    for (const way of placesIn(record)) {
      for (const wrong of [[[]], { a: 1 }, -1, 1e30, NaN, true]) {
        assert.equal(isSound(store, changed(record, way, wrong)), false, `${way} as ${wrong}`);
      }
    }
    for (const other of [undefined, null, 5, 'text', [], {}]) {
      assert.equal(isSound(store, other), false);
    }
  });
}

const WRONG = [
  ['files', ['chunks'], ['1'], 'fewer chunks than its bytes fill'],
  ['files', ['url'], 'nowhere', 'an address that is none'],
  ['releases', ['base'], 'nowhere', 'an address that is none'],
  ['releases', ['kind'], 'gift', 'an unknown source'],
  ['releases', ['models', 'q2'], 'onnx/model.onnx', 'a precision that is none'],
  ['releases', ['used', 'q2'], paths, 'the same among what was used'],
  ['releases', ['used', 'fp32'], paths.slice(1), 'a model that needs no config.json'],
  ['releases', ['used', 'fp32'], paths.slice(0, 2), 'a model that needs no weights'],
  ['releases', ['used', 'fp32'], [...paths, 'more'], 'a file that is needed, and not listed'],
  ['releases', ['files', 'config.json', 'sha256'], null, 'a file that is needed, and never came'],
  ['releases', ['files', 'config.json', 'path'], 'x', 'a file under the path of another'],
  ['releases', ['lastUsed'], 8.64e15, 'a time that no Date can be'],
];

for (const [store, way, value, what] of WRONG) {
  test(`${store}: ${what}`, () => {
    assert.equal(isSound(store, changed(GOOD[store], way, value)), false);
  });
}

test('what was stored of one precision may be forgotten without the others', () => {
  const { models } = GOOD.releases;
  assert.ok(isSound('releases', { ...GOOD.releases, models: {}, used: {} }));
  assert.ok(isSound('releases', { ...GOOD.releases, models: { ...models, q8: 'onnx/q.onnx' } }));
});

test('chunks are bytes, found by the id of their file and their place', () => {
  assert.ok(isSound('chunks', new ArrayBuffer(1)));
  assert.equal(isSound('chunks', new Uint8Array(1)), false);
  assert.ok(isChunkKey(['x', 0]));
  for (const key of [-1, 'x', [], ['x'], ['x', -1], [0, 0]]) assert.equal(isChunkKey(key), false);
});
