"""All traffic of a first visit, a load, reranks and the model store: none leaves the origin, and
none of it, nor the console, nor what is stored, has a word of a query or a document."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from tests.e2e.support import HELPERS, run
from tools.serve import Server
from tools.static_files import Handler

#: Stands in every query, document and title; in no file of ours.
MARK = "qz7marker"


#: Whom Chromium itself calls at its start, without a page; no file of ours names them.
BROWSERS_OWN = re.compile(
    rb"[A-Z]+ (http://)?(update\.googleapis\.com|content-autofill\.googleapis\.com"
    rb"|accounts\.google\.com|redirector\.gvt1\.com|[\w.-]+\.gvt1\.com)[:/]"
)


class Elsewhere:
    """All that is not this machine, as a browser sees it: a proxy that notes who calls and hangs
    up."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # closed
                return
            with connection:
                connection.settimeout(5)
                self.calls.append(connection.recv(65536))

    def of_pages(self) -> list[bytes]:
        return [call for call in self.calls if call and not BROWSERS_OWN.match(call)]

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    made = Elsewhere()
    yield made
    made.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every request that reaches our server: the first line, and all headers."""
    requests: list[str] = []

    def note(self: Handler, *_: object) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        requests.append(f"{self.requestline}\n{self.headers}\n{self.rfile.read(length)!r}")

    monkeypatch.setattr(Handler, "log_request", note)
    return requests


@pytest.fixture
def fenced(launch: Callable[..., Browser], elsewhere: Elsewhere) -> Browser:
    """A browser that reaches this machine, and `elsewhere` for all others; its own background
    services are off."""
    return launch(
        f"--proxy-server={elsewhere.address}", "--proxy-bypass-list=127.0.0.1", "--disable-sync"
    )


#: Every record of every database and cache, and the keys: which of them have the marker.
STORED = """
    const found = [];
    const text = async (value) => {
      if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
        return new TextDecoder('latin1').decode(value);
      }
      if (value instanceof Blob) return new TextDecoder('latin1').decode(await value.arrayBuffer());
      if (typeof value !== 'object' || value === null) return String(value);
      const parts = await Promise.all(Object.entries(value).flat().map(text));
      return parts.join(' ');
    };
    let records = 0;
    const note = async (where, ...values) => {
      records++;
      for (const value of values) if ((await text(value)).includes(arg)) found.push(where);
    };
    const ask = (request) => new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    for (const { name } of await indexedDB.databases()) {
      const db = await ask(indexedDB.open(name));
      for (const store of db.objectStoreNames) {
        const keys = await ask(db.transaction(store).objectStore(store).getAllKeys());
        for (const key of keys) {
          const value = await ask(db.transaction(store).objectStore(store).get(key));
          await note(`${name}.${store}`, key, value);
        }
      }
      db.close();
    }
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const response = await cache.match(request);
        await note(`cache ${name}`, request.url, [...response.headers].join(),
          await response.arrayBuffer());
      }
    }
    await note('localStorage', JSON.stringify(localStorage), JSON.stringify(sessionStorage));
    await note('cookies', document.cookie, location.href, document.title);
    return { found, records };"""

USE_LIBRARY = """
    const { createReranker, rerank, models, latestOnly } = await t.lib();
    const documents = [
      { title: `${arg} title`, body: `the ${arg} of a body` },
      { title: '', body: `${arg} `.repeat(700) },
      { title: `${arg}\\ud800`, body: '' },
    ];
    const request = { query: `what is ${arg}?`, documents, fields: ['title', 'body'] };
    const reranker = await createReranker({ sessions: 1 });
    await reranker.rerank({ ...request, onResult() {}, onProgress() {}, topK: 2 });
    await latestOnly(reranker)(request);
    const stop = new AbortController();
    const aborted = reranker.rerank({ ...request, signal: stop.signal }).catch(() => {});
    stop.abort(new Error(arg));
    await aborted;
    for (const wrong of [{ topK: arg }, { documents: [arg, 5] }, { query: [arg] }, { [arg]: 1 }]) {
      await reranker.rerank({ ...request, ...wrong }).catch(() => {});
    }
    await models.list();
    await models.usage();
    await models.import(await models.export(reranker.model));
    await reranker.dispose();
    await rerank({ ...request, documents: [] });"""


def test_no_word_leaves_the_page(
    fenced: Browser, site: Server, elsewhere: Elsewhere, asked: list[str]
) -> None:
    said: list[str] = []
    context = fenced.new_context()
    context.add_init_script(path=HELPERS)
    context.on("console", lambda message: said.append(message.text))
    context.on("weberror", lambda error: said.append(str(error.error)))
    context.on("request", lambda request: said.append(f"{request.url} {request.post_data or ''}"))
    page = context.new_page()
    page.goto(site.url)
    _use_app(page)  # from the first moment, while the model still loads
    expect(page.locator("#offline")).to_have_text("Ready to work offline.", timeout=60_000)
    before = len(asked)
    _use_app(page)
    assert asked[before:] == [], "once loaded, a rerank asks for nothing at all"

    library = context.new_page()
    library.goto(site.url + "blank.html")
    run(library, USE_LIBRARY, MARK)
    stored = run(library, STORED, MARK)
    assert len(asked) > 40 and any("ort" in line for line in asked) and len(said) > 40
    assert not [line for line in [*asked, *said] if MARK in line]
    assert stored["records"] > 40 and stored["found"] == []
    assert elsewhere.of_pages() == []

    with pytest.raises(Error, match="Failed to fetch"):  # the fence does see what leaves
        library.evaluate("fetch('https://elsewhere.example/')")
    [call] = elsewhere.of_pages()
    assert call.startswith(b"CONNECT elsewhere.example:443 ")
    context.close()


def _use_app(page: Page) -> None:
    page.fill("#query", f"what is {MARK}?")
    page.fill("#documents", f"the first {MARK}\n\nthe second {MARK}")
    page.click("#rerank")
    expect(page.locator("#status")).to_contain_text("Ranked 2 documents", timeout=60_000)
    expect(page.locator("#results .result")).to_have_count(2)
    page.fill("#query", " ")
    page.click("#rerank")
    expect(page.locator("#error")).to_contain_text("Write a query")


def test_the_marker_is_found_where_it_is(fenced: Browser, site: Server, asked: list[str]) -> None:
    """The search above can find: in the database, the caches, the storage and the requests."""
    context = fenced.new_context()
    page = context.new_page()
    page.goto(site.url + "blank.html")
    found = run(
        page,
        """
        const ask = (request) => new Promise((resolve) => {
          request.onupgradeneeded = () => request.result.createObjectStore('texts');
          request.onsuccess = () => resolve(request.result);
        });
        const db = await ask(indexedDB.open('theirs'));
        const store = db.transaction('texts', 'readwrite').objectStore('texts');
        await ask(store.put({ deep: [new TextEncoder().encode(`a ${arg}`).buffer] }, 1));
        db.close();
        await (await caches.open('theirs')).put('/x', new Response(`a ${arg}`));
        localStorage.setItem('x', arg);
        await fetch(`/${arg}`, { headers: { 'X-Text': arg } });
        return await (async () => {"""
        + STORED
        + "})();",
        MARK,
    )
    assert found["found"] == ["theirs.texts", "cache theirs", "localStorage"]
    [request] = [line for line in asked if MARK in line]
    assert f"GET /{MARK} " in request and f"X-Text: {MARK}" in request
    context.close()
