"""A document that the model cannot run costs no other, on WebAssembly and on an emulated GPU."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import numpy_helper
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import OpenPage
from tests.e2e.models import POSITIONS, VOCABULARY, sum_of_words, tiny_model
from tests.e2e.support import MODEL_FOLDER, Watch, link_model, rewrite, run
from tools.serve import Server

SHORT = "./e2e-models/short-vocabulary/"
QUERY = "where is the cat"
WORDS: dict[str, int] = json.loads((MODEL_FOLDER / "tokenizer.json").read_text("utf-8"))["model"][
    "vocab"
]
#: The table of words ends where this one's vector would be: its look-up fails.
BAD = max((word for word in WORDS if word.isascii() and word.isalpha()), key=WORDS.__getitem__)
DOCUMENTS = ["a cat on a mat", f"{BAD} moon", "", "moon", f"the {BAD}", "cheese", "dog " * 9]


def short_vocabulary() -> bytes:
    model = onnx.load_from_string(sum_of_words())
    (words,) = [one for one in model.graph.initializer if list(one.dims[:1]) == [VOCABULARY]]
    table = numpy_helper.to_array(words)[: WORDS[BAD]]
    words.CopyFrom(numpy_helper.from_array(table, words.name))
    data: bytes = model.SerializeToString()
    return data


@pytest.fixture(scope="module")
def short(site_folder: Path) -> str:
    folder = site_folder / "e2e-models" / "short-vocabulary"
    link_model(folder, "onnx/model.onnx", short_vocabulary(), max_position_embeddings=POSITIONS)
    return SHORT


@pytest.fixture(autouse=True)
def missing_precisions(watch: Watch) -> None:
    watch.allow(r"404 .*/onnx/model_(quantized|fp16)\.onnx", "console error")


RERANK = """
    const told = [], progress = [];
    const { results, usage } = await t.rerank(arg[0], arg[1], {
      onResult: ({ index, error }) => told.push([index, error && t.describe(error)]),
      onProgress: ({ done, total }) => progress.push([done, total]),
    });
    const described = results.map((one) => ({ ...one, error: one.error && t.describe(one.error) }));
    return { results: described, usage, told, progress };"""


def check(answer: dict[str, Any], alone: list[dict[str, Any]]) -> None:
    results = answer["results"]
    good = [one["index"] for one in results if one["logit"] is not None]
    assert [one["index"] for one in results] == [*good, 1, 4, 2], "failed ones, then the blank one"
    logits = {one["document"]: one["logit"] for one in alone}
    for one in results[:4]:
        assert one["error"] is None
        assert one["logit"] == pytest.approx(logits[one["document"]], abs=1e-3)
    for one in results[4:6]:
        assert (one["logit"], one["score"]) == (None, 0)
        assert one["error"]["typed"] and one["error"]["code"] == "inference"
        assert not one["error"]["retryable"]
        assert BAD not in one["error"]["message"]
    assert results[6]["error"] is None
    assert answer["progress"] == [[done, 6] for done in range(1, 7)]
    assert sorted(index for index, error in answer["told"] if error) == [1, 4]
    usage = answer["usage"]
    assert (usage["documents"], usage["pairs"], usage["failed"]) == (7, 4, 2)


def test_on_webassembly(open_page: OpenPage, short: str) -> None:
    page = open_page()
    run(page, "await t.start({ model: arg, device: 'wasm', sessions: 2, cache: false })", short)
    good = [text for text in DOCUMENTS if text and BAD not in text]
    alone = run(page, "return t.rerank(...arg)", [QUERY, good])["results"]
    workers = run(page, "return t.workers.length")
    check(run(page, RERANK, [QUERY, DOCUMENTS]), alone)
    assert run(page, "return t.workers.length") == workers, "no session had to be replaced"
    error = run(page, "return t.outcome(() => t.rerank(...arg))", [QUERY, [BAD, f"{BAD} a"]])
    assert error["error"]["code"] == "inference"
    assert run(page, "return t.rerank(...arg)", [QUERY, good])["results"] == alone


@pytest.fixture
def gpu_page(
    launch: Callable[..., Browser], site: Server, short: str, watch: Watch
) -> Iterator[Page]:
    browser = launch("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
    context = browser.new_context()
    watch.follow(context)
    page = context.new_page()
    page.goto(site.url + "blank.html")
    yield page
    watch.close(context)


def test_on_a_gpu_a_batch_is_run_again_pair_by_pair(gpu_page: Page, short: str) -> None:
    # A GPU's own look-up beyond the end of a table does not fail.
    place = WORDS[BAD]
    throws = f"if (feeds.input_ids.includes({place}n)) throw new Error('as told');"
    rewrite(gpu_page, "workers/ort-session.js", ("const tensors =", f"{throws} const tensors ="))
    run(gpu_page, "await t.start({ model: arg, device: 'webgpu', cache: false })", short)
    good = [text for text in DOCUMENTS if text and BAD not in text]
    ranking = run(gpu_page, "return t.rerank(...arg)", [QUERY, good])
    assert ranking["device"] == "webgpu"
    check(run(gpu_page, RERANK, [QUERY, DOCUMENTS]), ranking["results"])
    assert run(gpu_page, "return t.reranker.device") == "webgpu", "the GPU is not to blame"


def test_what_would_not_fit_into_memory_is_not_begun(
    open_page: OpenPage, site_folder: Path
) -> None:
    """As config.json has it, this model takes a gigabyte for 11 tokens, and four for 23."""
    folder = site_folder / "e2e-models" / "many-heads"
    config = {"max_position_embeddings": POSITIONS, "num_attention_heads": 10**6}
    link_model(folder, "onnx/model.onnx", tiny_model(), **config)
    page = open_page()
    run(
        page,
        "await t.start({ model: arg, device: 'wasm', sessions: 1 })",
        "./e2e-models/many-heads/",
    )
    answer = run(page, RERANK, ["cat", ["dog", "dog " * 40, "a cat"]])
    assert sorted(one["index"] for one in answer["results"][:2]) == [0, 2]
    failed = answer["results"][2]["error"]
    assert (failed["code"], failed["retryable"]) == ("out_of_memory", False)
    assert "44 tokens" in failed["message"] and "a smaller maxLength" in failed["message"]
    outcome = run(page, "return t.outcome(() => t.rerank('cat', ['dog '.repeat(40)]))")
    assert outcome["error"]["code"] == "out_of_memory"
    cut = run(page, "return t.rerank('cat', ['dog '.repeat(40)], { maxLength: 8 })")
    assert cut["results"][0]["truncated"] is True and cut["usage"]["tokens"] == 8
