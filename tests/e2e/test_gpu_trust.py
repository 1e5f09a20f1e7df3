"""A GPU is used only as far as it can be trusted: where it computes, what, and for how long."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.e2e.models import POSITIONS, tiny_model
from tests.e2e.support import Watch, link_model, run
from tools.serve import Server

TINY = "./e2e-models/trust/"
START = "await t.start({ model: arg, device: 'webgpu', cache: false })"
RERANK = "return t.rerank('where is the cat', ['a cat on a mat', 'moon', 'cheese'])"

#: Operators that hold nearly all of a cross-encoder's work.
HEAVY = ("MatMul", "Gemm", "Attention", "LayerNormalization", "Softmax", "Gelu", "Erf")


@pytest.fixture
def gpu_page(
    launch: Callable[..., Browser], site: Server, site_folder: Path, watch: Watch
) -> Iterator[Page]:
    """A page with an emulated GPU, and the tiny model on the site."""
    folder = site_folder / "e2e-models" / "trust"
    link_model(folder, "onnx/model.onnx", tiny_model(), max_position_embeddings=POSITIONS)
    watch.allow(r"404 .*/onnx/model_(quantized|fp16)\.onnx")
    browser = launch("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
    context = browser.new_context()
    watch.follow(context)
    page = context.new_page()
    page.goto(site.url + "blank.html")
    yield page
    watch.close(context)


def rewrite(page: Page, path: str, old: str, new: str) -> None:
    """Change one of the workers' scripts on its way to the browser."""

    def answer(route: Route) -> None:
        response = route.fetch()
        text = response.text()
        assert old in text, f"{path} has changed: adapt this test"
        route.fulfill(response=response, body=text.replace(old, new))

    page.route(f"**/{path}", answer)


def test_all_heavy_operators_are_on_the_gpu(gpu_page: Page, watch: Watch) -> None:
    watch.allow("console .*")
    log: list[str] = []
    gpu_page.context.on("console", lambda message: log.append(message.text))
    rewrite(gpu_page, "workers/ort.js", "logSeverityLevel: 3", "logSeverityLevel: 0")
    run(gpu_page, START, TINY)
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


def test_wrong_numbers_mean_wasm(gpu_page: Page) -> None:
    rewrite(
        gpu_page,
        "workers/session-worker.js",
        "(output.data));",
        "(output.data)).map((value) => (device === 'webgpu' ? 1 : value));",
    )
    run(gpu_page, START, TINY)
    ranking = run(gpu_page, RERANK)
    assert ranking["device"] == "wasm" and "other numbers" in ranking["fallback"]
    assert len({result["logit"] for result in ranking["results"]}) == 3


def test_a_gpu_lost_once_is_used_again_and_twice_is_not(gpu_page: Page) -> None:
    run(gpu_page, START, TINY)
    before = run(gpu_page, RERANK)
    assert before["device"] == "webgpu"
    run(gpu_page, "t.crash('session', 0)")  # the first; the last was the check's own, and is gone
    again = run(gpu_page, RERANK)
    assert (again["device"], again["fallback"]) == ("webgpu", None)
    run(gpu_page, "t.crash('session', -1)")
    gpu_page.wait_for_timeout(500)
    left = run(gpu_page, RERANK)
    assert left["device"] == "wasm" and "lost" in left["fallback"]
    logits = [[result["logit"] for result in answer["results"]] for answer in (before, again, left)]
    assert logits[1] == pytest.approx(logits[0], abs=1e-3)
    assert logits[2] == pytest.approx(logits[0], abs=1e-3)
