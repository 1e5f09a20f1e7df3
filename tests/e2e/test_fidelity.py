"""The browser against native onnxruntime, on real queries and passages (DESIGN.md, Contract)."""

from __future__ import annotations

import itertools
import json
import statistics
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import OpenPage
from tests.e2e.models import dequantize
from tests.e2e.support import (
    MODEL_FOLDER,
    Watch,
    browser_logits,
    link_model,
    native_logits,
    run,
)

MODEL_URL = "./e2e-models/bundled-fp32/"
QUERIES = 20
DOCUMENTS = 20

Request = tuple[str, list[str]]


@pytest.fixture(scope="module")
def requests(ir: Path) -> list[Request]:
    """The first queries of TREC DL 2019, each with its first BM25 candidates."""
    folder = ir / "trec-dl2019"
    texts = {entry["id"]: entry["text"] for entry in _lines(folder / "corpus.jsonl")}
    candidates: dict[str, list[str]] = {}
    for line in (folder / "candidates_fullbm25.tsv").read_text(encoding="utf-8").splitlines():
        query, document, *_ = line.split("\t")
        candidates.setdefault(query, []).append(texts[document])
    queries = itertools.islice(_lines(folder / "queries.jsonl"), QUERIES)
    return [(query["text"], candidates[query["id"]][:DOCUMENTS]) for query in queries]


def _lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def kendall_tau(first: list[float], second: list[float]) -> float:
    """Tau-a: the share of pairs in the same order, minus the share in the other."""
    pairs = list(itertools.combinations(range(len(first)), 2))
    signs = [(first[i] - first[j]) * (second[i] - second[j]) for i, j in pairs]
    return sum((sign > 0) - (sign < 0) for sign in signs) / len(pairs)


def test_int8_ranks_like_native(
    ready: Page, requests: list[Request], request: pytest.FixtureRequest
) -> None:
    ours = browser_logits(ready, requests)
    native = native_logits(MODEL_FOLDER, requests)
    taus = [kendall_tau(a, b) for a, b in zip(ours, native, strict=True)]
    differences = [
        abs(a - b) for x, y in zip(ours, native, strict=True) for a, b in zip(x, y, strict=True)
    ]
    figures = {
        "kendall_tau": round(statistics.mean(taus), 4),
        "worst_tau": round(min(taus), 4),
        "mean_difference": round(statistics.mean(differences), 4),
        "largest_difference": round(max(differences), 4),
    }
    request.node.user_properties += figures.items()
    print(figures)
    assert figures["kendall_tau"] >= 0.95


def test_fp32_equals_native(
    open_page: OpenPage, site_folder: Path, requests: list[Request], watch: Watch
) -> None:
    # A folder cannot be listed: the library asks for each precision, and the browser logs a miss.
    watch.allow(r"404 .*/onnx/model_(quantized|fp16)\.onnx")
    folder = site_folder / "e2e-models" / "bundled-fp32"
    model = dequantize(MODEL_FOLDER / "onnx" / "model_quantized.onnx")
    link_model(folder, "onnx/model.onnx", model)
    some = [(query, documents[:5]) for query, documents in requests[:5]]

    page = open_page()
    run(page, "await t.start({ model: arg, dtype: 'fp32', device: 'wasm' })", MODEL_URL)
    assert run(page, "return [t.reranker.model, t.reranker.dtype, t.reranker.device]") == [
        "bundled-fp32",
        "fp32",
        "wasm",
    ]
    native = native_logits(folder, some)
    for ours, theirs in zip(browser_logits(page, some), native, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-3)
    assert len({round(logit, 3) for logits in native for logit in logits}) > 20


def test_a_logit_does_not_depend_on_its_neighbours(ready: Page, requests: list[Request]) -> None:
    query, documents = requests[0]
    differing = run(
        ready,
        """
        const [query, documents] = arg;
        const logits = new Map();
        const differing = [];
        let seed = 1;
        const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
        for (let turn = 0; turn < 20; turn++) {
          const shuffled = documents.map((text) => [random(), text]).sort((a, b) => a[0] - b[0]);
          const some = shuffled.map(([, text]) => text).slice(0, 1 + Math.floor(random() * 6));
          for (const { document, logit } of (await t.rerank(query, some)).results) {
            if (!Object.is(logits.get(document) ?? logit, logit)) differing.push([turn, logit]);
            logits.set(document, logit);
          }
        }
        return { differing, seen: logits.size };""",
        [query, documents[:6]],
    )
    assert differing == {"differing": [], "seen": 6}
