"""A GPU is used only as far as it can be trusted: where it computes, what, and for how long."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.models import POSITIONS, sum_of_words, tiny_model
from tests.e2e.support import Watch, link_model, rewrite, run
from tools.serve import Server

TINY = "./e2e-models/trust/"
ENCODER = "./e2e-models/encoder/"
START = "await t.reranker?.dispose(); await t.start({ model: arg, device: 'webgpu', cache: false })"
RERANK = "return t.rerank('where is the cat', ['a cat on a mat', 'moon', 'cheese'])"

#: Operators that hold nearly all of a cross-encoder's work.
HEAVY = ("MatMul", "Gemm", "Attention", "LayerNormalization", "Softmax", "Gelu", "Erf")


@pytest.fixture
def gpu_page(
    launch: Callable[..., Browser], site: Server, site_folder: Path, watch: Watch
) -> Iterator[Page]:
    """A page with an emulated GPU, and two models on the site."""
    models = {"trust": sum_of_words(), "encoder": tiny_model()}
    for name, model in models.items():
        folder = site_folder / "e2e-models" / name
        link_model(folder, "onnx/model.onnx", model, max_position_embeddings=POSITIONS)
    watch.allow(r"404 .*/onnx/model_(quantized|fp16)\.onnx")
    browser = launch("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
    context = browser.new_context()
    watch.follow(context)
    page = context.new_page()
    page.goto(site.url + "blank.html")
    yield page
    watch.close(context)


def test_all_heavy_operators_are_on_the_gpu(gpu_page: Page, watch: Watch) -> None:
    watch.allow("console .*")
    log: list[str] = []
    gpu_page.context.on("console", lambda message: log.append(message.text))
    rewrite(gpu_page, "workers/ort.js", ("logSeverityLevel: 3", "logSeverityLevel: 0"))
    run(gpu_page, START, ENCODER)
    run(gpu_page, RERANK)
    placed: dict[str, list[str]] = {}
    provider = ""
    for line in "\n".join(log).splitlines():
        if found := re.search(r"placed on \[(\w+)\]", line):
            provider = found[1]
        elif provider and (found := re.search(r"\]\s+(\w+) \(", line)):
            placed.setdefault(provider, []).append(found[1])
    on_gpu = [name for name in placed.get("WebGpuExecutionProvider", []) if name in HEAVY]
    on_cpu = [name for name in placed.get("CPUExecutionProvider", []) if name in HEAVY]
    if not placed:  # all nodes on one provider are told in one line, without their names
        assert any("All nodes placed on [WebGpuExecutionProvider]" in line for line in log)
    else:
        assert on_gpu, placed
    # The wasm session of the check itself places everything on the CPU, in one line.
    assert not on_cpu, placed


#: A GPU that gives the same number for every pair.
WRONG_NUMBERS = (
    "loaded().run(batch)",
    "loaded().run(batch).then((logits) => (device === 'webgpu' ? logits.fill(1) : logits))",
)

#: The names of the session workers that a start made.
SESSIONS = "return t.workers.splice(0).filter(({ name }) => name.includes('session')).length"


def check_runs_on_wasm(page: Page) -> None:
    ranking = run(page, RERANK)
    assert ranking["device"] == "wasm" and "other numbers" in ranking["fallback"]
    assert len({result["logit"] for result in ranking["results"]}) == 3


def test_wrong_numbers_mean_wasm(gpu_page: Page) -> None:
    rewrite(gpu_page, "workers/session-worker.js", WRONG_NUMBERS)
    run(gpu_page, START, TINY)
    check_runs_on_wasm(gpu_page)
    events = run(gpu_page, "return t.progress")
    phases = [event["phase"] for event in events]
    again = phases.index("download", phases.index("warmup"))
    assert {"load", "warmup"} <= set(phases[again:]), "the second load is told as the first was"
    for name in ("loadedBytes", "totalBytes"):
        assert [event[name] for event in events] == sorted(event[name] for event in events)
    assert events[-1]["loadedBytes"] == events[-1]["totalBytes"] > events[again]["totalBytes"]


def test_a_later_start_needs_no_second_copy_and_is_checked_all_the_same(gpu_page: Page) -> None:
    run(gpu_page, START, TINY)
    assert run(gpu_page, SESSIONS) == 2, "one on the GPU, and the check's own"
    run(gpu_page, START, TINY)
    assert run(gpu_page, SESSIONS) == 1
    assert run(gpu_page, RERANK)["device"] == "webgpu"
    gpu_page.reload()
    rewrite(gpu_page, "workers/session-worker.js", WRONG_NUMBERS)
    run(gpu_page, START, TINY)
    check_runs_on_wasm(gpu_page)


def test_other_weights_of_the_same_graph_are_another_model(
    gpu_page: Page, site_folder: Path
) -> None:
    run(gpu_page, START, TINY)
    assert run(gpu_page, SESSIONS) == 2
    folder = site_folder / "e2e-models" / "trust-too"
    weights = bytearray(sum_of_words())
    place = len(weights) // 2
    weights[place] ^= 1
    link_model(folder, "onnx/model.onnx", bytes(weights), max_position_embeddings=POSITIONS)
    run(gpu_page, START, "./e2e-models/trust-too/")
    assert run(gpu_page, SESSIONS) == 2


def test_without_storage_the_check_is_made_each_time(gpu_page: Page) -> None:
    rewrite(gpu_page, "lib/store/expected-logits.js", ("await openDB(", "await Promise.reject("))
    for _ in range(2):
        run(gpu_page, START, TINY)
        assert run(gpu_page, SESSIONS) == 2
    assert run(gpu_page, RERANK)["device"] == "webgpu"


def test_a_check_that_fails_once_is_made_again(gpu_page: Page) -> None:
    rewrite(
        gpu_page,
        "workers/session-worker.js",
        (
            "async load({ graph, externalData, port }) {",
            """async load({ graph, externalData, port }) {
            if (device === 'wasm' && !(await caches.has('failed'))) {
              await caches.open('failed');
              throw new RerankError('model_load', 'by the test');
            }""",
        ),
    )
    run(gpu_page, START, TINY)
    ranking = run(gpu_page, RERANK)
    assert (ranking["device"], ranking["fallback"]) == ("webgpu", None)


def test_a_check_that_cannot_be_made_is_not_the_gpus_fault(gpu_page: Page) -> None:
    rewrite(
        gpu_page,
        "workers/session-worker.js",
        (
            "async load({ graph, externalData, port }) {",
            """async load({ graph, externalData, port }) {
            if (device === 'wasm') throw new RerankError('model_load', 'by the test');""",
        ),
    )
    outcome = run(gpu_page, f"return t.outcome(async () => {{ {START} }})", TINY)
    assert (outcome["error"]["code"], outcome["error"]["message"]) == ("model_load", "by the test")
    gpu_page.unroute_all()
    run(gpu_page, START, TINY)
    assert run(gpu_page, RERANK)["device"] == "webgpu"


def test_a_gpu_lost_once_is_used_again_and_twice_is_not(gpu_page: Page) -> None:
    run(gpu_page, START, TINY)
    before = run(gpu_page, RERANK)
    assert before["device"] == "webgpu"
    run(gpu_page, "t.crash('session')")
    again = run(gpu_page, RERANK)
    assert (again["device"], again["fallback"]) == ("webgpu", None)
    run(gpu_page, "t.crash('session', -1)")
    gpu_page.wait_for_timeout(500)
    left = run(gpu_page, RERANK)
    assert left["device"] == "wasm" and "lost" in left["fallback"]
    logits = [[result["logit"] for result in answer["results"]] for answer in (before, again, left)]
    assert logits[1] == pytest.approx(logits[0], abs=1e-3)
    assert logits[2] == pytest.approx(logits[0], abs=1e-3)
