"""Every byte that runs is self-hosted and listed; what the browser lets us check is checked.

docs/security.md says what is checked when, and what the platform leaves open.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.support import (
    BLANK_PAGE,
    DIST,
    Watch,
    link_site,
    published,
    recorded_requests,
    run,
)
from tools.serve import make_server

LISTING = json.loads((DIST / "files.json").read_text(encoding="utf-8"))
HASHES = {file["path"]: file["sha256"] for file in LISTING["files"]}

#: One of each kind that runs, or that what runs is made of.
EXECUTABLE = [
    *map(published, ("app/main.js", "workers/python-worker.js")),
    *map(published, ("vendor/pyodide/pyodide.asm.wasm", "vendor/ort/ort-wasm-simd-threaded.wasm")),
    *(path for path in HASHES if "/webrerank-" in path),
]


def test_a_first_visit_runs_only_what_is_listed_and_pinned(open_page: OpenPage) -> None:
    with recorded_requests() as asked:
        page = open_page("")
        page.click("#rerank")
        expect(page.locator("#status")).to_contain_text("Ranked 10", timeout=60_000)
        expect(page.locator("#offline")).to_have_text("Ready to work offline.", timeout=60_000)
    paths = {urlsplit(path).path.lstrip("/") or "index.html" for path in asked}
    assert len(paths) > 50 and published("vendor/pyodide/pyodide.asm.wasm") in paths
    for path in paths - {"files.json", "sw.js"}:
        assert hashlib.sha256((DIST / path).read_bytes()).hexdigest() == HASHES[path], path


@pytest.fixture
def tampered(tmp_path: Path) -> Path:
    """A site of the test's own, whose files may be changed."""
    link_site(tmp_path)
    (tmp_path / "blank.html").write_text(BLANK_PAGE, encoding="utf-8")
    return tmp_path


def change_one_byte(path: Path) -> None:
    """In a new file: the old one is a link to dist/."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content)


#: How the service worker's installation ends, without our page, and what it has kept.
INSTALL = """
    const { build } = await (await fetch('files.json')).json();
    const registration = await navigator.serviceWorker.register(`sw.js?build=${build}`);
    const worker = registration.installing;
    const state = await new Promise((resolve) => {
      const look = () => ['installed', 'activated', 'redundant'].includes(worker.state)
        && resolve(worker.state);
      worker.addEventListener('statechange', look);
      look();
    });
    const kept = await caches.match(new URL(arg, document.baseURI));
    const complete = await caches.match(new URL('files.json', document.baseURI));
    return { state, kept: Boolean(kept), complete: Boolean(complete) };"""


@pytest.mark.parametrize("path", EXECUTABLE)
def test_a_file_with_one_other_byte_is_never_kept(
    open_page: OpenPage, tampered: Path, watch: Watch, path: str
) -> None:
    watch.allow("integrity", "digest", "ERR_")
    change_one_byte(tampered / path)
    server = make_server(tampered, "127.0.0.1", 0)
    server.start()
    try:
        answer = run(open_page(base=server.url), INSTALL, path)
    finally:
        server.stop()
    assert answer == {"state": "redundant", "kept": False, "complete": False}


def test_what_is_kept_is_used_whatever_the_server_has_by_now(
    open_page: OpenPage, tampered: Path, watch: Watch
) -> None:
    server = make_server(tampered, "127.0.0.1", 0)
    server.start()
    try:
        page = open_page("", base=server.url)
        expect(page.locator("#offline")).to_have_text("Ready to work offline.", timeout=60_000)
        for path in EXECUTABLE:
            change_one_byte(tampered / path)
        page.reload()
        page.click("#rerank")
        expect(page.locator("#status")).to_contain_text("Ranked 10", timeout=60_000)
    finally:
        server.stop()


@pytest.mark.parametrize("package", ["numpy", "micropip"])
def test_pyodide_refuses_a_wheel_with_one_more_byte(
    open_page: OpenPage, tampered: Path, watch: Watch, package: str
) -> None:
    """One at the end, which no zip reader would mind: it is the hash that refuses it."""
    watch.allow("integrity", "digest", "ERR_", "request failed", "while loading", "Failed to fetch")
    [wheel] = (tampered / "vendor/pyodide").glob(f"*/{package}-*.whl")
    content = wheel.read_bytes()
    wheel.unlink()  # a link to dist/
    wheel.write_bytes(content + b"\0")
    server = make_server(tampered, "127.0.0.1", 0)
    server.start()
    try:
        page = open_page(base=server.url)
        error = run(page, "return t.outcome(() => t.start({ sessions: 1 }))")["error"]
    finally:
        server.stop()
    assert error["typed"] and error["code"] == "runtime_load", error
