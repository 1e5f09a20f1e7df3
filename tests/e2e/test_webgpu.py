"""WebGPU, on the emulated adapter that Chromium brings along: right, if not fast."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import OpenPage
from tests.e2e.models import POSITIONS, tiny_model
from tests.e2e.run_counter import count_runs
from tests.e2e.support import Watch, browser_logits, link_model, native_logits, run
from tools.serve import Server

TINY = "./e2e-models/tiny/"

#: Of many lengths, so that the micro-batches are padded; more than one batch holds.
DOCUMENTS = [
    "cat",
    "a cat sat on the mat and looked at the moon until it was gone",
    "dogs",
    "the moon is made of green cheese, or so they say in the village by the sea",
    "cheese",
    "",
    "one two three four five six seven eight nine ten " * 3,
    "why not",
    "the cat",
    "a b c d e f g h i j k l m n o p q r s t u v w x y z",
    "moon moon moon",
    "cat cat",
    "ünïcödé 猫 😺",
]
QUERY = "where is the cat"


@pytest.fixture(scope="module")
def tiny(site_folder: Path) -> Path:
    folder = site_folder / "e2e-models" / "tiny"
    link_model(folder, "onnx/model.onnx", tiny_model(), max_position_embeddings=POSITIONS)
    return folder


@pytest.fixture(scope="module")
def gpu_page(
    launch: Callable[..., Browser], site: Server, tiny: Path, all_watched: Watch
) -> Iterator[Page]:
    """A page with the tiny model on WebGPU."""
    browser = launch("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
    context = browser.new_context()
    all_watched.follow(context)
    page = context.new_page()
    page.goto(site.url + "blank.html")
    count_runs(page)
    run(page, "await t.start({ model: arg, device: 'webgpu', cache: false })", TINY)
    yield page
    all_watched.close(context)


@pytest.fixture(autouse=True)
def missing_precisions(watch: Watch) -> None:
    """A folder cannot be listed: each precision is asked for, and the browser logs a miss."""
    watch.allow(r"404 .*/onnx/model_(quantized|fp16)\.onnx")


def test_runs_on_webgpu_as_native(gpu_page: Page, tiny: Path) -> None:
    ranking = run(gpu_page, "return t.rerank(...arg)", [QUERY, DOCUMENTS])
    told = {key: ranking[key] for key in ("model", "device", "dtype", "sessions", "fallback")}
    assert told == {
        "model": "tiny",
        "device": "webgpu",
        "dtype": "fp32",
        "sessions": 1,
        "fallback": None,
    }
    [native] = native_logits(tiny, [(QUERY, DOCUMENTS)])
    scored = [result for result in ranking["results"] if result["logit"] is not None]
    assert len(scored) == len(DOCUMENTS) - 1, "one is blank"
    for result in scored:
        assert result["logit"] == pytest.approx(native[result["index"]], abs=1e-3)
    assert len({round(logit, 3) for logit in native}) > 10, "documents must differ"


def test_runs_have_few_shapes_and_those_are_compiled_for(gpu_page: Page) -> None:
    compiled = run(gpu_page, "return compiledFor")
    assert sorted(compiled) == [[1, 32], [1, 64], [8, 32], [8, 64]], "the model reads 64 tokens"
    run(gpu_page, "runs.length = 0; await t.rerank(...arg)", [QUERY, DOCUMENTS])
    shapes = run(gpu_page, "return runs")
    assert shapes and {length for _, length in shapes} <= {32, 64}
    assert max(rows for rows, _ in shapes) == 8


def test_neighbours_and_padding_do_not_matter(gpu_page: Page) -> None:
    texts = [text for text in DOCUMENTS if text]
    [together] = browser_logits(gpu_page, [(QUERY, texts)])
    alone = [logits[0] for logits in browser_logits(gpu_page, [(QUERY, [text]) for text in texts])]
    assert together == pytest.approx(alone, abs=1e-3)


def test_overlapping_calls(gpu_page: Page) -> None:
    answers = run(
        gpu_page,
        """
        const calls = [0, 1, 2, 3].map((n) => t.rerank(`${arg[0]} ${n}`, arg[1]));
        const together = await Promise.all(calls);
        const alone = [];
        for (const n of [0, 1, 2, 3]) alone.push(await t.rerank(`${arg[0]} ${n}`, arg[1]));
        const logits = ({ results }) =>
          results.sort((a, b) => a.index - b.index).map((result) => result.logit ?? 0);
        return { together: together.map(logits), alone: alone.map(logits) };""",
        [QUERY, DOCUMENTS],
    )
    for together, alone in zip(answers["together"], answers["alone"], strict=True):
        assert together == pytest.approx(alone, abs=1e-3)


def test_abort_on_webgpu(gpu_page: Page) -> None:
    answer = run(
        gpu_page,
        """
        const documents = Array.from({ length: 100 }, (_, n) => `${n} ` + 'word '.repeat(50));
        const answer = await t.abort((signal) => t.rerank('q', documents, { signal }), 100);
        return { ...answer, next: (await t.rerank('q', ['a'])).results.length };""",
    )
    assert answer["isReason"] and answer["next"] == 1


def test_no_adapter_falls_back_to_wasm_and_says_so(
    open_page: OpenPage, tiny: Path, watch: Watch
) -> None:
    watch.allow("No available adapters")
    page = open_page()
    run(page, "await t.start({ model: arg, device: 'webgpu', sessions: 1 })", TINY)
    ranking = run(page, "return t.rerank(...arg)", [QUERY, DOCUMENTS])
    assert (ranking["device"], ranking["dtype"]) == ("wasm", "fp32")
    assert "WebGPU" in ranking["fallback"] and "WebAssembly" in ranking["fallback"]
    assert run(page, "return t.reranker.fallback") == ranking["fallback"]

    by_index = sorted(ranking["results"], key=lambda result: result["index"])
    [native] = native_logits(tiny, [(QUERY, DOCUMENTS)])
    assert [result["logit"] or 0 for result in by_index] == pytest.approx(native, abs=1e-3)


def test_an_int8_model_does_not_run_on_webgpu(gpu_page: Page) -> None:
    answer = run(
        gpu_page,
        """
        const { createReranker } = await t.lib();
        const reranker = await createReranker({ device: 'webgpu', sessions: 1 });
        await reranker.dispose();
        return [reranker.device, reranker.dtype, reranker.fallback];""",
    )
    assert answer[:2] == ["wasm", "q8"] and "WebAssembly" in answer[2]
