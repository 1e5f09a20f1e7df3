"""Loading under a host that means no good: files of a wrong type, files that never come, storage
that never answers. A start works, or it fails with the cause; it never hangs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.support import (
    Watch,
    check_works,
    link_site,
    rewrite,
    run,
    shorten_patience,
    wait_for_workers_to_end,
)
from tests.e2e.test_offline import rank_in_app
from tools.serve import make_server
from tools.static_files import MIME_TYPES, Handler

START = "return { ...(await t.outcome(() => t.start({ sessions: 1 }))) }"


@pytest.fixture(params=["application/octet-stream", "text/plain", None])
def wasm_type(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str | None]:
    """What the host says of .wasm files; None for a host that says nothing."""
    send_header = Handler.send_header

    def send(handler: Handler, name: str, value: str) -> None:
        if value != "nothing":
            send_header(handler, name, value)

    monkeypatch.setitem(MIME_TYPES, ".wasm", request.param or "nothing")
    monkeypatch.setattr(Handler, "send_header", send)
    yield request.param


@pytest.mark.usefixtures("wasm_type")
def test_a_host_with_a_wrong_type_for_wasm(open_page: OpenPage) -> None:
    """Without a warning of the browser, that is, compiled while it arrives."""
    page = open_page()
    assert "error" not in run(page, START)
    check_works(page)


@pytest.mark.parametrize("wasm_type", ["application/octet-stream"], indirect=True)
def test_the_same_with_the_service_worker(
    open_page: OpenPage, watch: Watch, tmp_path: Any, wasm_type: str
) -> None:
    link_site(tmp_path)
    server = make_server(tmp_path, "127.0.0.1", 0)
    server.start()
    page = open_page("", base=server.url)
    first = rank_in_app(page)
    expect(page.locator("#offline")).to_have_text("Ready to work offline.", timeout=60_000)
    watch.allow("ERR_CONNECTION_REFUSED")
    server.stop()
    page.reload()
    assert rank_in_app(page) == first


def test_a_browser_that_cannot_compile_what_arrives(open_page: OpenPage) -> None:
    """Then it is compiled from memory."""
    page = open_page()
    start = "const compileStream = globalThis.WebAssembly?.instantiateStreaming;"
    refuse = "const compileStream = () => Promise.reject(new TypeError('by the test'));"
    rewrite(page, "workers/fetch.js", (start, refuse))
    assert "error" not in run(page, START)
    check_works(page)


def test_a_wasm_file_that_is_none(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("console .*(wasm|pyodide)", "ERR_ABORTED")
    page = open_page()
    page.route(
        "**/pyodide.asm.wasm",
        lambda route: route.fulfill(body="<html>", content_type="application/wasm"),
    )
    error = run(page, START)["error"]
    assert error["code"] == "runtime_load" and error["retryable"]
    assert "pyodide.asm.wasm could not be had: CompileError" in error["cause"]
    page.unroute_all()
    assert "error" not in run(page, START)
    check_works(page)


@pytest.mark.parametrize(
    ("pattern", "code", "cause"),
    [
        ("**/workers/python-worker.js", "worker_crashed", "its script"),
        ("**/workers/serve.js", "worker_crashed", "its script"),
        ("**/pyodide.mjs", "runtime_load", "missing: a script"),
        ("**/pyodide.asm.wasm", "runtime_load", "missing: pyodide.asm.wasm"),
        ("**/numpy-*.whl", "runtime_load", "missing: numpy"),
        ("**/webrerank-*.whl", "runtime_load", "missing: webrerank"),
        ("**/ort.wasm.min.mjs", "runtime_load", "ort.wasm.min.mjs. Check the connection"),
        ("**/ort-wasm-simd-threaded.wasm", "runtime_load", "missing: ort-wasm-simd-threaded.wasm"),
        ("**/tokenizers.js", "runtime_load", "does not answer for"),
    ],
)
def test_a_part_that_never_comes(
    open_page: OpenPage, watch: Watch, pattern: str, code: str, cause: str
) -> None:
    watch.allow("ERR_ABORTED", "ERR_FAILED")
    page = open_page()
    shorten_patience(page, file=6_000, look=1_000, loading=12_000, worker=12_000)
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))
    try:
        error = run(page, START)["error"]
    finally:
        for route in held:
            route.abort()  # or Playwright waits for it
    assert held
    assert error["code"] == code and error["retryable"], error
    assert cause in error["message"] + error["cause"]
    wait_for_workers_to_end(page)


@pytest.mark.parametrize("name", ["pyodide.asm.wasm", "python_stdlib.zip"])
def test_a_body_that_stalls(
    open_page: OpenPage, watch: Watch, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    watch.allow("ERR_ABORTED")
    over = threading.Event()
    whole = Handler._copy

    def stall(handler: Handler, file: Any, count: int) -> None:
        if not handler.path.endswith(name):
            return whole(handler, file, count)
        handler.wfile.write(file.read(count // 2))
        handler.wfile.flush()
        over.wait()
        raise ConnectionError

    monkeypatch.setattr(Handler, "_copy", stall)
    page = open_page()
    shorten_patience(page, file=6_000, look=1_000, loading=20_000)
    try:
        error = run(page, START)["error"]
    finally:
        over.set()
    assert error["code"] == "runtime_load" and error["retryable"], error
    assert f"missing: {name}" in error["cause"]


def test_a_store_that_never_answers(open_page: OpenPage) -> None:
    """The browser's caches: they may have a snapshot of Python, or not."""
    page = open_page()
    shorten_patience(page, storage=3_000)
    never = "const never = () => new Promise(() => {});\nself.caches.keys = never;\n"
    start = "const network = self.fetch.bind(self);"
    rewrite(page, "workers/fetch.js", (start, never + start))
    assert "error" not in run(page, START)
    check_works(page)


def test_the_page_waits_for_no_service_worker(open_page: OpenPage, watch: Watch) -> None:
    """One that never gets ready, here because its list of files never comes."""
    watch.allow("ERR_ABORTED", "ERR_FAILED")
    page = open_page()
    held: list[Route] = []
    page.context.route("**/files.json", lambda route: held.append(route))
    page.goto(page.url.replace("blank.html", ""))
    assert len(rank_in_app(page)) == 2
    assert held
    for route in held:
        route.abort()
