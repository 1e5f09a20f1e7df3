"""Without a network: the site from the service worker, the model from IndexedDB."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.support import (
    BERLIN,
    BERLIN_DOCUMENTS,
    Watch,
    check_works,
    link_site,
    recorded_requests,
    run,
)
from tools.serve import make_server

#: What a browser logs when it cannot reach the server.
REFUSED = "ERR_CONNECTION_REFUSED"


def rank_in_app(page: Page) -> list[str]:
    """Rank the Berlin documents, the worse first, in the app; gives their texts, best first."""
    page.fill("#query", BERLIN)
    page.fill("#documents", "\n".join(reversed(BERLIN_DOCUMENTS)))
    page.click("#rerank")
    expect(page.locator("#status")).to_contain_text("Ranked 2 documents", timeout=30_000)
    return page.locator("#results .result-text").all_inner_texts()


@pytest.mark.parametrize("place", ["", "some/sub/"])
def test_the_app_works_with_the_server_gone(
    open_page: OpenPage, watch: Watch, tmp_path: Path, place: str
) -> None:
    link_site(tmp_path / place)
    server = make_server(tmp_path, "127.0.0.1", 0)
    server.start()
    page = open_page(place, base=server.url)
    assert rank_in_app(page) == BERLIN_DOCUMENTS
    expect(page.locator("#offline")).to_have_text("Ready to work offline.", timeout=30_000)
    server.stop()

    watch.allow(REFUSED)
    page.reload()
    assert rank_in_app(page) == BERLIN_DOCUMENTS
    expect(page.locator("#offline")).to_have_text("Ready to work offline.", timeout=10_000)
    if place:
        _check_library(page)


def _check_library(page: Page) -> None:
    documents = run(
        page,
        """
        const reranker = await (await t.lib()).createReranker({ sessions: 1 });
        const { results } = await reranker.rerank({ query: arg[0], documents: arg[1] });
        await reranker.dispose();
        return results.map((result) => result.document);""",
        [BERLIN, BERLIN_DOCUMENTS[::-1]],
    )
    assert documents == BERLIN_DOCUMENTS


def test_the_model_is_downloaded_once_and_a_damaged_part_again(open_page: OpenPage) -> None:
    page = open_page()
    assert "/onnx/model_quantized.onnx" in str(_load_and_check(page))
    page.reload()
    assert _load_and_check(page) == []
    progress = run(page, "return t.progress")
    downloads = [event for event in progress if event["phase"] == "download"]
    assert downloads and all(event["fromCache"] for event in downloads)
    assert progress[-1]["loadedBytes"] == progress[-1]["totalBytes"]

    changed = run(page, CORRUPT)
    assert changed > 1_000_000, "a chunk of the weights was changed"
    page.reload()
    assert "/onnx/model_quantized.onnx" in str(_load_and_check(page))
    page.reload()
    assert _load_and_check(page) == []


#: Flips one byte in the middle of the largest chunk; gives its size.
CORRUPT = """
    const ask = (request) => new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const db = await ask(indexedDB.open('webrerank'));
    const store = db.transaction('chunks', 'readwrite').objectStore('chunks');
    const keys = await ask(store.getAllKeys());
    let largest = { size: 0 };
    for (const key of keys) {
      const value = await ask(store.get(key));
      if (value.byteLength > largest.size) largest = { key, value, size: value.byteLength };
    }
    new Uint8Array(largest.value)[largest.size >> 1] ^= 1;
    await ask(store.put(largest.value, largest.key));
    db.close();
    return largest.size;"""


def _load_and_check(page: Page) -> list[str]:
    """Load, rerank rightly, and give the model files that were asked for on the way."""
    with recorded_requests() as paths:
        run(page, "await t.start({ sessions: 1 })")
        check_works(page)
    run(page, "await t.reranker.dispose()")
    return [path for path in paths if "/models/" in path]


def test_without_indexed_db_it_works_all_the_same(open_page: OpenPage, watch: Watch) -> None:
    page = open_page()
    page.route(
        "**/vendor/idb.js",
        lambda route: route.fulfill(
            content_type="text/javascript",
            body="export const openDB = () => Promise.reject(new Error('no database here'));",
        ),
    )
    assert "/onnx/model_quantized.onnx" in str(_load_and_check(page))


def test_with_cross_origin_isolation(open_page: OpenPage, site_folder: Path) -> None:
    """Nothing in dist/ needs these headers, and nothing is broken by them."""
    headers = {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
    }
    server = make_server(site_folder, "127.0.0.1", 0, headers)
    server.start()
    try:
        page = open_page(base=server.url)
        assert run(page, "return crossOriginIsolated") is True
        _load_and_check(page)
    finally:
        server.stop()
