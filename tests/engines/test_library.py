"""The library on a blank page: right numbers, aborts, the model store."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.support import (
    BERLIN,
    BERLIN_DOCUMENTS,
    MODEL_FOLDER,
    ROOT,
    native_logits,
    recorded_requests,
)
from tests.engines.conftest import Serve, besides_chromium
from tests.engines.page import EnginePage, run

pytestmark = besides_chromium

PAIRS: list[dict[str, Any]] = json.loads(
    (ROOT / "tests" / "golden" / "logits.json").read_text(encoding="utf-8")
)["pairs"]

#: Logits; int8 differs that much between processors (tests/golden/test_logits.py).
NATIVE_TOLERANCE = 0.35
#: Logits; WebAssembly computes the same in every engine.
WASM_TOLERANCE = 1e-3

#: An abort is answered by the page itself, so a run of several seconds must not hold it up, ms.
ABORT_BOUND_MS = 5_000


@pytest.fixture(scope="module")
def loaded(browser_page: EnginePage, serve: Serve) -> list[str]:
    """Load the bundled model on a blank page, as `t.reranker`; gives what was asked for.

    Without the cache of logits: what a test asks for again is to be computed again.
    """
    browser_page.go(serve().url + "blank.html")
    with recorded_requests() as paths:
        run(browser_page, "await t.start({ sessions: 1, cache: false })")
    return paths


@pytest.fixture
def ready(page: EnginePage, loaded: list[str]) -> EnginePage:
    """The page with the reranker; shared, so leave it usable."""
    return page


def check_berlin(page: EnginePage) -> None:
    """Rerank the Berlin documents, the worse first, and compare with the pinned logits."""
    ranking = run(page, "return t.rerank(...arg)", [BERLIN, BERLIN_DOCUMENTS[::-1]])
    assert [result["document"] for result in ranking["results"]] == BERLIN_DOCUMENTS
    pinned = {pair["document"]: pair["wasm"] for pair in PAIRS if pair["query"] == BERLIN}
    for result in ranking["results"]:
        assert result["logit"] == pytest.approx(pinned[result["document"]], abs=WASM_TOLERANCE)


def test_logits_are_the_pinned_ones(ready: EnginePage) -> None:
    requests = [(pair["query"], [pair["document"]]) for pair in PAIRS]
    logits = run(
        ready,
        """
        const logits = [];
        for (const [query, documents] of arg)
          logits.push((await t.rerank(query, documents)).results[0].logit);
        return logits;""",
        requests,
    )
    native = [logit for (logit,) in native_logits(MODEL_FOLDER, requests)]
    assert logits == pytest.approx([pair["wasm"] for pair in PAIRS], abs=WASM_TOLERANCE)
    assert logits == pytest.approx(native, abs=NATIVE_TOLERANCE)
    check_berlin(ready)


@pytest.mark.alone
def test_abort_in_inference(ready: EnginePage) -> None:
    answer = run(
        ready,
        """
        const documents = Array.from({ length: 60 }, (_, i) => `${i} ` + 'word '.repeat(300));
        let seen = 0;
        const onProgress = () => seen++;
        const started = (signal) => t.rerank('q', documents, { signal, onProgress });
        const answer = await t.abort(started, () => seen >= 2, { mine: true });
        const then = seen;
        await t.rerank('q', ['a']); // by its end, what was under way has ended too
        return { ...answer, seen: then, after: seen - then };""",
    )
    assert answer["isReason"] and not answer["resolved"]
    assert answer["ms"] < ABORT_BOUND_MS
    assert 2 <= answer["seen"] < 60, "the abort must come in mid-inference"
    assert answer["after"] == 0, "nothing is told after the abort"
    check_berlin(ready)


def test_a_second_load_reads_the_model_from_the_store(ready: EnginePage, loaded: list[str]) -> None:
    assert any(path.endswith("/onnx/model_quantized.onnx") for path in loaded)
    assert run(ready, "return t.reranker.saved") is True
    ready.reload()
    with recorded_requests() as paths:
        run(ready, "await t.start({ sessions: 1, cache: false })")
    assert any(path.endswith("/webrerank.js") for path in paths), "what is asked for is recorded"
    assert not [path for path in paths if "/models/" in path]
    check_berlin(ready)


def test_the_kernel_gives_the_same_bits_in_every_engine(page: EnginePage, serve: Serve) -> None:
    """As in CPython, with or without relaxed SIMD."""
    requests = [(pair["query"], [pair["document"]]) for pair in PAIRS]
    page.go(serve().url + "blank.html")
    logits = run(
        page,
        """
        await t.start({ engine: 'auto', sessions: 1, cache: false });
        const logits = [];
        for (const [query, documents] of arg)
          logits.push((await t.rerank(query, documents)).results[0].logit);
        return { logits, engine: t.reranker.engine };""",
        requests,
    )
    expected = [logit for (logit,) in native_logits(MODEL_FOLDER, requests, engine="kernel")]
    assert logits == {"logits": expected, "engine": "kernel"}
