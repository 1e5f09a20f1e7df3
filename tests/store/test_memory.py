"""The wasm heap that a model takes, and that it is given back."""

from __future__ import annotations

import math

import pytest
from playwright.sync_api import Page, Route

from tests.e2e.support import run, wait_for_workers_to_end
from tests.hub.server import Hub
from tests.store.conftest import Publish
from tests.store.support import DOCUMENTS, QUERY

#: Put before the session worker's code: remembers each memory that ONNX Runtime makes.
RECORD = """
self.memories = [];
WebAssembly.Memory = class extends WebAssembly.Memory {
  constructor(options) { super(options); self.memories.push(this); }
};
"""
HEAP = "self.memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0)"


def record_memories(page: Page) -> None:
    """From now on session workers know their memories."""

    def prepend(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=RECORD + answer.text())

    page.route("**/workers/session-worker.js", prepend)


def heaps(page: Page) -> list[int]:
    """Bytes of wasm heap of each session."""
    sessions = [worker for worker in page.workers if "session-worker" in worker.url]
    return [int(worker.evaluate(HEAP)) for worker in sessions]


@pytest.mark.parametrize("kind", ["six-layers", "large"])
def test_heap(
    page: Page, hub: Hub, published: Publish, kind: str, request: pytest.FixtureRequest
) -> None:
    """A 279 MB model takes at most 1.5 times its size, a small one the runtime's own besides."""
    folder = published(kind)
    size = (folder / "onnx/model_quantized.onnx").stat().st_size
    record_memories(page)
    run(page, "await t.start({ device: 'wasm', ...arg })", {"model": f"test/{kind}", "sessions": 1})
    results = run(page, "return t.rerank(...arg)", [QUERY, DOCUMENTS])["results"]
    assert all(math.isfinite(result["logit"]) for result in results)
    [heap] = heaps(page)
    print(f"{kind}: {size / 2**20:.0f} MiB of weights, {heap / 2**20:.0f} MiB of heap")
    request.node.user_properties.append(("heap_ratio", round(heap / size, 2)))
    assert size < heap <= 1.5 * size + 64 * 2**20 * (size < 100_000_000)
    run(page, "await t.reranker.dispose()")
    wait_for_workers_to_end(page)


def test_switching_models_gives_the_memory_back(page: Page, hub: Hub, published: Publish) -> None:
    published("six-layers")
    published("bert")
    record_memories(page)
    for model in ("test/six-layers", "test/bert"):
        run(
            page, "await t.reranker?.dispose(); await t.start(arg)", {"model": model, "sessions": 1}
        )
    assert len(page.workers) == 2, "one for Python and one session"
    [heap] = heaps(page)
    assert heap < 30 * 2**20
