"""A folder on another origin, as any static host serves one: no hash is known, and of the headers
only a few are shown to scripts."""

from __future__ import annotations

import gzip

import pytest
from playwright.sync_api import Page

from tests.e2e.support import MODEL_FOLDER, run
from tests.hub.contents import CDN_HOST, Fault
from tests.hub.server import Hub
from tests.store.conftest import Publish
from tests.store.support import (
    CHUNK,
    L12,
    L12_BYTES,
    L12_FILE,
    TINY,
    TINY_CONFIG,
    hash_of,
    prefetch,
    stored,
)
from tools.serve import make_server

MONDAY, TUESDAY = (f"{day} Nov 2026 08:00:00 GMT" for day in ("Mon, 02", "Tue, 03"))
CUT = Fault(cut_at=CHUNK + 9_000_000)


def folder(model: str) -> str:
    return f"https://{CDN_HOST}/plain/{model}/"


@pytest.fixture(autouse=True)
def plain_host(hub: Hub, published: Publish, bundled_on_hub: str) -> None:
    published("bert")
    hub.plain = True
    hub.modified = MONDAY


def check_kept(page: Page, hub: Hub) -> None:
    """The weights are there, byte for byte."""
    wanted = hash_of(hub, L12_FILE)
    assert wanted in [file["sha256"] for file in stored(page)["files"]]
    assert run(page, "return t.storedHash(arg)", wanted) == wanted


def test_it_goes_on_where_the_line_was_cut(page: Page, hub: Hub) -> None:
    hub.fault(L12_FILE, CUT)
    assert prefetch(page, folder(L12))["value"]["saved"]
    assert [asked.range for asked in hub.asked(L12_FILE)] == [None, f"bytes={CHUNK}-"]
    check_kept(page, hub)


def test_a_release_between_two_tries_is_not_mixed_with_the_old(page: Page, hub: Hub) -> None:
    """Of the same size, so that nothing but the date tells."""
    old = Fault(content=bytes(L12_BYTES), hold_at=CHUNK + 9_000_000)
    hub.fault(L12_FILE, old)
    run(page, "t.running = t.prefetch(arg); return 0", folder(L12))
    page.wait_for_function("arg => t.told?.loadedBytes >= arg", arg=CHUNK + 5_000_000)
    hub.modified = TUESDAY
    hub.release()
    assert run(page, "return t.running")["value"]["saved"]
    ranges = [asked.range for asked in hub.asked(L12_FILE)]
    # Then all files are listed again, and downloaded whole.
    assert ranges[:2] == [None, f"bytes={CHUNK}-"] and set(ranges[2:]) == {None}
    check_kept(page, hub)


def test_where_nothing_tells_of_a_change_it_starts_over(page: Page, hub: Hub) -> None:
    hub.modified = None
    hub.fault(L12_FILE, CUT)
    assert prefetch(page, folder(L12))["value"]["saved"]
    assert [asked.range for asked in hub.asked(L12_FILE)] == [None, None]
    check_kept(page, hub)


def test_a_compressed_answer(page: Page, hub: Hub) -> None:
    """Its length is shown, and that it is compressed is not."""
    config = hub.repositories[TINY]["config.json"].disk.read_bytes() + b" " * 1000
    packed = Fault(content=gzip.compress(config), encoding="gzip", content_type="application/json")
    hub.fault(TINY_CONFIG, packed, forever=True)
    assert prefetch(page, folder(TINY))["value"]["saved"]


LOAD = """
    return t.outcome(async () => {
      const { createReranker } = await t.lib();
      const reranker = await createReranker({ model: arg, sessions: 1 });
      const { results } = await reranker.rerank({ query: 'a fox', documents: ['a fox', 'a dog'] });
      await reranker.dispose();
      return results.length;
    });"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_another_port_of_this_machine(page: Page, host: str) -> None:
    """As the page of `build.py serve` may ask for a model there; that server must allow it."""
    headers = {"Access-Control-Allow-Origin": "*"}
    other = make_server(MODEL_FOLDER.parent, "127.0.0.1", 0, headers)
    other.start()
    try:
        address = f"{other.url.replace('127.0.0.1', host)}{MODEL_FOLDER.name}/"
        assert run(page, LOAD, address) == {"value": 2}
    finally:
        other.stop()


def test_no_other_host_without_https(page: Page) -> None:
    """The policy refuses it, so nothing is asked."""
    blocked = run(
        page,
        """
        const refused = new Promise((resolve) =>
          addEventListener('securitypolicyviolation', (event) => resolve(event.blockedURI)));
        await fetch('http://192.0.2.1/model/').catch(() => {});
        return refused;""",
    )
    assert blocked.startswith("http://192.0.2.1")
