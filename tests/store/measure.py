"""Measures what models cost in this browser: `python -m tests.store.measure` prints the table."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Browser, Route, sync_playwright

from tests.e2e.models import dequantize
from tests.e2e.support import BLANK_PAGE, BROWSER_ARGUMENTS, MODEL_FOLDER, ROOT, browser_path, run
from tests.hub.server import Hub
from tests.hub.tiny_models import MODEL_FILES, make_large, make_six_layers
from tests.store.conftest import prepare
from tests.store.support import DOCUMENTS, QUERY, stored
from tests.store.test_memory import heaps, record_memories
from tools.serve import make_server

HEAD = """\
| model | device | dtype | download | cached | wasm heap a session | cold load | cached load |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |"""

LOAD = """
  const { createReranker } = await t.lib();
  const started = performance.now();
  t.reranker = await createReranker({ model: arg, device: 'wasm', sessions: 1 });
  return performance.now() - started;"""


def make_models(base: Path) -> Mapping[str, tuple[str, str, Path]]:
    """Title, dtype and folder of each model, by its id on the hub."""
    large = Path(os.environ.get("WEBRERANK_LARGE_MODEL", base / "large"))
    fp32 = make_six_layers(base / "fp32", MODEL_FOLDER)  # for its texts
    (fp32 / MODEL_FILES["q8"]).unlink()
    (fp32 / MODEL_FILES["fp32"]).write_bytes(dequantize(MODEL_FOLDER / MODEL_FILES["q8"]))
    six = make_six_layers(base / "six", MODEL_FOLDER)
    return {
        "test/l12": ("MiniLM L-12 (the bundled one)", "q8", MODEL_FOLDER),
        "test/six": ("MiniLM L-6 shape", "q8", six),
        "test/l12-fp32": ("MiniLM L-12, dequantised", "fp32", fp32),
        "test/large": ("XLM-R base shape, random", "q8", make_large(large)),
    }


def answer_blank(route: Route) -> None:
    """The page itself would load a model of its own."""
    route.fulfill(body=BLANK_PAGE, content_type="text/html")


def measure(browser: Browser, url: str, hub: Hub, model: str) -> str:
    """Load twice in a fresh context: from the hub, and on another page from the database."""
    context = browser.new_context()
    prepare(context, [])
    times = []
    for _ in range(2):
        page = context.new_page()
        record_memories(page)
        page.route("**/blank.html", answer_blank)
        page.goto(url + "blank.html")
        before = sum(asked.sent for asked in hub.log)
        times.append(run(page, LOAD, model) / 1000)
        times.append(sum(asked.sent for asked in hub.log) - before)
        run(page, "await t.rerank(...arg)", [QUERY, DOCUMENTS])
        [heap] = heaps(page)
        cached = sum(file["bytes"] for file in stored(page)["files"])
        run(page, "await t.reranker.dispose()")
        page.close()
    context.close()
    cold, download, warm, again = times
    assert again == 0
    sizes = " | ".join(f"{size / 1e6:.1f} MB" for size in (download, cached, heap))
    return f"{sizes} | {cold:.1f} s | {warm:.1f} s |"


def main() -> None:
    """Print one row a model."""
    hub = Hub()
    server = make_server(ROOT / "dist", "127.0.0.1", 0)
    server.start()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path(),
            args=[*BROWSER_ARGUMENTS, *hub.browser_arguments],
        )
        print(HEAD)
        for model, (title, dtype, files) in make_models(Path(folder)).items():
            hub.reset()
            hub.add(model, files)
            print(f"| {title} | wasm | {dtype} | {measure(browser, server.url, hub, model)}")
        browser.close()
    server.stop()
    hub.close()


if __name__ == "__main__":
    main()
