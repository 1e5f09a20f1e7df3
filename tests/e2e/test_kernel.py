"""`engine: 'auto'`: the project's own kernel, with the numbers that CPython gets from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.e2e.conftest import OpenPage
from tests.e2e.models import dequantize
from tests.e2e.support import (
    MODEL_FOLDER,
    ROOT,
    Watch,
    browser_logits,
    link_model,
    native_logits,
    recorded_requests,
    run,
)
from tools.serve import Server

PAIRS: list[dict[str, Any]] = json.loads(
    (ROOT / "tests" / "golden" / "logits.json").read_text(encoding="utf-8")
)["pairs"]
REQUESTS = [(pair["query"], [pair["document"]]) for pair in PAIRS]

START = "await t.start({ engine: 'auto', sessions: 1, cache: false }); return t.reranker.engine"


@pytest.fixture(scope="module")
def expected() -> list[list[float]]:
    return native_logits(MODEL_FOLDER, REQUESTS, engine="kernel")


@pytest.fixture(scope="module")
def on_kernel(
    browser: Browser, site: Server, all_watched: Watch
) -> Iterator[tuple[Page, list[str]]]:
    """A page whose reranker runs on the kernel, and what was asked for until it was ready."""
    context = browser.new_context()
    all_watched.follow(context)
    page = context.new_page()
    page.goto(site.url + "blank.html")
    with recorded_requests() as paths:
        assert run(page, START) == "kernel"
    yield page, paths
    all_watched.close(context)


def test_onnx_runtime_is_not_even_asked_for(on_kernel: tuple[Page, list[str]]) -> None:
    _, paths = on_kernel
    builds = [path.split("/kernel/")[1] for path in paths if "/kernel/" in path]
    assert builds == ["relaxed.wasm"]
    assert not [path for path in paths if "/vendor/ort/" in path]


def test_logits_are_those_of_cpython_bit_for_bit(
    on_kernel: tuple[Page, list[str]], expected: list[list[float]]
) -> None:
    page, _ = on_kernel
    assert browser_logits(page, REQUESTS) == expected
    for (logit,), pair in zip(expected, PAIRS, strict=True):
        assert logit == pytest.approx(pair["native"], abs=0.5), "int8 rounds otherwise, no more"


def test_a_ranking_names_the_engine_and_company_changes_no_bit(
    on_kernel: tuple[Page, list[str]],
) -> None:
    page, _ = on_kernel
    query = PAIRS[0]["query"]
    documents = [pair["document"] for pair in PAIRS]
    alone = run(
        page,
        """
        const logits = [];
        for (const one of arg[1]) logits.push((await t.rerank(arg[0], [one])).results[0].logit);
        return logits;""",
        [query, documents],
    )
    ranking = run(page, "return t.rerank(...arg)", [query, documents])
    assert ranking["engine"] == "kernel"
    assert {result["index"]: result["logit"] for result in ranking["results"]} == dict(
        enumerate(alone)
    )


@pytest.mark.parametrize("broken", [b"no program", b"\0asm\1\0\0\0\xff"])
def test_without_relaxed_simd_the_plain_build_says_the_same(
    open_page: OpenPage, expected: list[list[float]], broken: bytes
) -> None:
    page = open_page()
    page.route("**/relaxed.wasm", lambda route: _answer(route, broken))
    with recorded_requests() as paths:
        assert run(page, START) == "kernel"
    assert any(path.endswith("/kernel/plain.wasm") for path in paths)
    assert browser_logits(page, REQUESTS) == expected


def _answer(route: Route, body: bytes) -> None:
    route.fulfill(body=body, content_type="application/wasm")


def test_other_models_run_on_onnx_runtime(open_page: OpenPage, site_folder: Path) -> None:
    """Floats are known from the precision; an int8 file that is no encoder, from reading it."""
    floats = dequantize(MODEL_FOLDER / "onnx" / "model_quantized.onnx")
    link_model(site_folder / "e2e-models" / "q8-by-name", "onnx/model_quantized.onnx", floats)
    page = open_page()
    start = "await t.start({ engine: 'auto', model: './e2e-models/q8-by-name/', sessions: 1 });"
    assert run(page, start + "return t.reranker.engine") == "onnxruntime"
    ranking = run(page, "return t.rerank(...arg)", [PAIRS[0]["query"], [PAIRS[0]["document"]]])
    assert ranking["engine"] == "onnxruntime"
    assert ranking["results"][0]["logit"] == pytest.approx(PAIRS[0]["native"], abs=0.5)


def test_an_unknown_engine_is_a_wrong_request(open_page: OpenPage) -> None:
    error = run(open_page(), "return t.outcome(() => t.start({ engine: 'magic' }))")["error"]
    assert error["code"] == "invalid_request"
    assert "engine must be one of auto, onnxruntime" in error["message"]
