"""Ten thousand documents, a document of 5 MB, a query of 1 MB: right, and aborted at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.models import POSITIONS, tiny_model
from tests.e2e.support import ABORT_MS, Watch, in_thread, link_model, run
from tools.serve import Server
from webrerank import Ranking, load_reranker

QUERY = "which fox is red?"
WORDS = "the red fox, café 北京 — "
LONG_WORDS = (WORDS * 250_000)[:5_000_000]
MANY = [f"document {number}, {'red fox ' * (number % 7)}" for number in range(9_999)]

#: What is asked for: the query, and the documents.
LARGE: dict[str, tuple[str, list[str]]] = {
    "ten thousand documents": (QUERY, [*MANY, MANY[3]]),
    "a document of 5 MB": (QUERY, ["a", LONG_WORDS, "b"]),
    "a query of 1 MB": (LONG_WORDS[:1_000_000], ["a", LONG_WORDS[:2_000], ""]),
    "a word, and nothing, of 1 MB": (QUERY, ["x" * 1_000_000, "\u0301 " * 500_000 + "fox"]),
}


@pytest.fixture(scope="module")
def folder(site_folder: Path) -> Path:
    made = site_folder / "models" / "sizes"
    link_model(made, "onnx/model.onnx", tiny_model(), max_position_embeddings=POSITIONS)
    return made


@pytest.fixture(scope="module")
def tiny(browser: Browser, site: Server, all_watched: Watch, folder: Path) -> Iterator[Page]:
    """A page with the tiny model as `t.reranker`: the sizes matter here, not the model."""
    context = browser.new_context()
    all_watched.follow(context)
    page = context.new_page()
    page.goto(site.url + "blank.html")
    options = {"model": "./models/sizes", "dtype": "fp32", "device": "wasm", "cache": False}
    run(page, "await t.start(arg)", options)
    yield page
    all_watched.close(context)


ANSWER = """
    const ranking = await t.rerank(...arg);
    const columns = { index: [], logit: [], truncated: [] };
    for (const result of ranking.results) {
      for (const name of Object.keys(columns)) columns[name].push(result[name]);
      if (result.document !== arg[1][result.index]) throw new Error('not its own document');
    }
    return { ...columns, usage: ranking.usage };"""


def native_ranking(folder: Path, query: str, documents: list[str]) -> Ranking:
    return in_thread(lambda: load_reranker(folder).rerank(query, documents))


@pytest.mark.parametrize("what", LARGE)
def test_it_is_ranked_as_native_code_does(tiny: Page, folder: Path, what: str) -> None:
    query, documents = LARGE[what]
    wanted = native_ranking(folder, query, documents)
    answer: dict[str, Any] = run(tiny, ANSWER, [query, documents])
    assert sorted(answer["index"]) == list(range(len(documents)))
    by_index = {result.index: result for result in wanted.results}
    for index, logit, truncated in zip(
        answer["index"], answer["logit"], answer["truncated"], strict=True
    ):
        assert truncated == by_index[index].truncated
        if by_index[index].logit is None:
            assert logit is None
        else:
            assert logit == pytest.approx(by_index[index].logit, abs=1e-4)
    given = [logit for logit in answer["logit"] if logit is not None]
    assert given == sorted(given, reverse=True)
    for name, value in (("pairs", wanted.usage.pairs), ("tokens", wanted.usage.tokens)):
        assert answer["usage"][name] == value
    assert answer["usage"]["queryTruncated"] == wanted.usage.query_truncated
    assert answer["usage"]["queryTruncated"] == (len(query) > 1000)


@pytest.mark.alone
@pytest.mark.parametrize("what", LARGE)
def test_it_is_aborted_at_once_and_the_next_call_is_right(tiny: Page, what: str) -> None:
    query, documents = LARGE[what]
    answer = run(
        tiny,
        """
        const [query, documents, small] = arg;
        const before = await t.rerank('fox', small);
        const calls = [];
        for (const ms of [0, 20, 100]) {
          calls.push(await t.abort((signal) => t.rerank(query, documents, { signal }), ms));
        }
        const after = await t.rerank('fox', small);
        const logits = ({ results }) => results.map((result) => result.logit);
        return { calls, before: logits(before), after: logits(after) };""",
        [query, documents, ["a", "b", "red fox"]],
    )
    assert not answer["calls"][0]["resolved"]
    for call in answer["calls"]:
        if not call["resolved"]:  # a fast machine may be done by then
            assert call["isReason"] and call["ms"] < ABORT_MS
    assert answer["after"] == answer["before"]
