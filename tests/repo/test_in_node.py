"""Imported where there is no browser (Node, a page rendered on a server), the library does no harm
and says what is wrong."""

import json
import subprocess
from typing import Any

import pytest

from tests.repo.sources import WEB

SCRIPT = """
const before = Object.keys(globalThis);
const library = await import(process.argv[1]);
const { createReranker, rerank, models, latestOnly, RerankError } = library;
const options = { query: 'q', documents: ['a'] };
const calls = {
  createReranker, rerank: () => rerank(options), list: models.list, prefetch: models.prefetch,
  remove: models.remove, export: () => models.export('x'), import: () => models.import(new Blob()),
  add: () => models.add('x', [new File(['{}'], 'config.json')]), usage: models.usage,
  persist: models.persist,
  latestOnly: async () => latestOnly({ rerank })(options),
  wrong: () => rerank({ query: 5, documents: [] }),
  empty: () => rerank({ query: 'q', documents: [] }),
};
const told = {};
for (const [name, call] of Object.entries(calls)) {
  try {
    told[name] = { value: await call() };
  } catch (error) {
    const { code, message, retryable } = error;
    told[name] = { typed: error instanceof RerankError, code, message, retryable };
  }
}
const added = Object.keys(globalThis).filter((name) => !before.includes(name));
console.log(JSON.stringify({ told, added }));
"""


@pytest.fixture(scope="module")
def answer() -> dict[str, Any]:
    address = (WEB / "webrerank.js").as_uri()
    command = ["node", "--input-type=module", "--eval", SCRIPT, address]
    # The process ends by itself: nothing that the import began keeps it alive.
    ran = subprocess.run(command, capture_output=True, check=True, timeout=60, encoding="utf-8")
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def test_the_import_leaves_nothing_behind(answer: dict[str, Any]) -> None:
    assert answer["added"] == []


def test_every_call_says_that_this_is_no_browser(answer: dict[str, Any]) -> None:
    told = dict(answer["told"])
    assert told.pop("empty")["value"]["results"] == []
    assert told.pop("wrong")["code"] == "invalid_request"
    assert len(told) == 11
    for name, error in told.items():
        assert (error["typed"], error["code"]) == (True, "runtime_load"), (name, error)
        assert error["retryable"] is False
        assert "Call it in the browser only" in error["message"], (name, error)
