"""Budgets that cannot flake: bytes, requests, runs, tokens and memory; no timings."""

from __future__ import annotations

import json

from playwright.sync_api import Page

from tests.e2e.conftest import OpenPage
from tests.e2e.gauges import Gauges, Numbers
from tests.e2e.run_counter import count_runs
from tests.e2e.support import DIST, recorded_requests, run, without_ids

MB = 1_000_000

#: The most that the parts of dist/ may weigh, bytes: `FILE.br` where there is one. A part that
#: grows needs a reason, and a new number here.
BROTLI_BUDGET = {
    "webrerank.js lib/ workers/": 110_000,
    "app/ styles/ index.html sw.js": 38_000,
    "vendor/pyodide/ without the snapshot": 8.7 * MB,
    "vendor/pyodide/python.snapshot": 5.8 * MB,
    "vendor/ort/ort.wasm.min.mjs vendor/ort/ort-wasm-simd-threaded.wasm": 2.9 * MB,
    "vendor/tokenizers/": 1.4 * MB,
}

#: Requests of a first load, the model's four files included. Each of the four workers asks for its
#: own copy of a module, so one that all of them import counts four times.
MOST_REQUESTS = 138


def weight(part: str) -> int:
    names, _, left_out = part.partition(" without the ")
    total = 0
    for entry in json.loads((DIST / "files.json").read_text(encoding="utf-8"))["files"]:
        path = entry["path"]
        if without_ids(path).startswith(tuple(names.split())) and not (
            left_out and left_out in path
        ):
            packed = DIST / f"{path}.br"
            total += packed.stat().st_size if packed.exists() else entry["bytes"]
    return total


def test_bytes_by_part() -> None:
    weights = {part: weight(part) for part in BROTLI_BUDGET}
    assert all(weights.values()), weights
    over = {part: size for part, size in weights.items() if size > BROTLI_BUDGET[part]}
    assert not over, over


def test_requests_of_a_first_load(open_page: OpenPage) -> None:
    page = open_page()
    with recorded_requests() as paths:
        run(page, "await t.start({ sessions: 2 })")
    assert len(paths) <= MOST_REQUESTS, paths
    assert not [path for path in paths if "jspi" in path or "asyncify" in path]
    assert not [path for path in paths if "snapshot" in path], "only a kept one is of use"
    models = [path for path in paths if "/models/" in path]
    assert len(models) == len(set(models)), "no file of a model is asked for twice"


def counted_page(open_page: OpenPage) -> Page:
    page = open_page()
    count_runs(page)
    run(page, "await t.start({ sessions: 2 })")
    return page


def test_one_run_a_document_and_no_token_in_vain(open_page: OpenPage) -> None:
    page = counted_page(open_page)
    answer = run(
        page,
        """
        const documents = Array.from({ length: 24 }, (_, n) => 'weather in the north '.repeat(n));
        const { usage } = await t.rerank('rain tomorrow', documents);
        const first = runs.splice(0);
        const again = await t.rerank('rain tomorrow', [...documents, 'sun', 'sun'], { topK: 3 });
        return { usage, first, again: again.usage, second: runs };""",
    )
    usage, runs = answer["usage"], answer["first"]
    assert len(runs) == usage["pairs"] == 23, "one document is blank"
    assert all(rows == 1 for rows, _ in runs)
    assert sum(length for _, length in runs) == usage["tokens"], "padding is computed in vain"
    lengths = [length for _, length in runs]
    assert lengths == sorted(lengths, reverse=True), "longest first, so that no session idles"
    assert len(answer["second"]) == answer["again"]["pairs"] == 1, "only what is new is computed"
    assert answer["again"]["cached"] == 24


#: Memory of the bundled model on two sessions, MB: what wasm memories have reached, which never
#: shrink, and what JavaScript has in use when garbage is collected. Measured, and a fifth more.
PEAK_MB: dict[str, dict[str, float]] = {
    "webrerank Python worker": {"wasm": 76, "JS heap": 18, "buffers": 23},
    "webrerank session 1": {"wasm": 105, "JS heap": 2.9, "buffers": 0.2},
    "webrerank session 2": {"wasm": 105, "JS heap": 2.9, "buffers": 0.2},
    "page": {"JS heap": 2.8, "buffers": 0.2},
}


def over_budget(numbers: Numbers) -> list[str]:
    return [
        f"{place}: {gauge} {numbers[place][gauge] / MB:.1f} MB, budget {most}"
        for place, budget in PEAK_MB.items()
        for gauge, most in budget.items()
        if numbers[place][gauge] > most * MB
    ]


def test_peak_heap(open_page: OpenPage) -> None:
    page = open_page()
    gauges = Gauges(page)
    run(page, "await t.start({ sessions: 2, device: 'wasm', cache: false })")
    loaded = gauges.read()
    body = """
        const text = (_, n) => `${n} ` + 'word '.repeat(n % 10 ? 40 : 600);
        const documents = Array.from({ length: 100 }, text);
        const { usage } = await t.rerank('rain tomorrow', documents);
        return usage.pairs;"""
    assert run(page, body) == 100
    reranked = gauges.read()
    assert not over_budget(loaded), loaded
    assert not over_budget(reranked), reranked
