"""What changes around a running page: a new release, storage that goes, odd clocks and places."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.support import BERLIN, BERLIN_DOCUMENTS, check_works, link_site, run
from tests.e2e.test_offline import rank_in_app
from tools.serve import Server, make_server


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """A site of this test's own, and its folder."""
    link_site(tmp_path)
    server = make_server(tmp_path, "127.0.0.1", 0)
    server.start()
    yield server, tmp_path
    server.stop()


def publish_another_build(site: Path) -> None:
    """What a release does: a changed worker, and a list of files that says so."""
    path = "workers/python-worker.js"
    changed = (site / path).read_bytes() + b"\n// another build\n"
    for name in (path, f"{path}.br", f"{path}.gz"):
        (site / name).unlink(missing_ok=True)  # a link to dist/, which is to stay as it is
    (site / path).write_bytes(changed)
    listing = json.loads((site / "files.json").read_text(encoding="utf-8"))
    for file in listing["files"]:
        if file["path"] == path:
            file |= {"bytes": len(changed), "sha256": hashlib.sha256(changed).hexdigest()}
    listing["build"] = "another"
    for name in ("files.json", "files.json.br", "files.json.gz"):
        (site / name).unlink(missing_ok=True)
    (site / "files.json").write_text(json.dumps(listing), encoding="utf-8")


def test_a_new_release_under_a_running_page(
    open_page: OpenPage, own_site: tuple[Server, Path]
) -> None:
    server, folder = own_site
    page = open_page("", base=server.url)
    assert rank_in_app(page) == BERLIN_DOCUMENTS
    expect(page.locator("#offline")).to_have_text("Ready to work offline.", timeout=30_000)
    page.reload()  # now the service worker answers it
    assert rank_in_app(page) == BERLIN_DOCUMENTS

    publish_another_build(folder)
    second = page.context.new_page()
    second.goto(server.url)
    expect(second.locator("#update")).to_contain_text("An update is ready", timeout=30_000)
    run(page, "t.crash('Python', -1)")  # the page must start workers of its own build
    page.fill("#query", "Where is the museum?")
    assert rank_in_app(page) == BERLIN_DOCUMENTS
    assert "another build" not in run(page, FETCH_WORKER)

    second.close()
    page.reload()
    with page.expect_navigation():
        page.get_by_role("button", name="Reload to use it").click()
    assert rank_in_app(page) == BERLIN_DOCUMENTS
    assert "another build" in run(page, FETCH_WORKER)


FETCH_WORKER = "return (await fetch('workers/python-worker.js')).text()"


def test_a_new_release_without_a_service_worker(
    open_page: OpenPage, own_site: tuple[Server, Path]
) -> None:
    """A page in use keeps working when the server has another build."""
    server, folder = own_site
    (folder / "blank.html").write_text("<!doctype html><link rel=icon href=data:,>", "utf-8")
    page = open_page(base=server.url)
    run(page, "await t.start({ sessions: 1 })")
    publish_another_build(folder)
    run(page, "t.crash('Python', -1)")
    check_works(page)


def test_storage_evicted_in_use(open_page: OpenPage) -> None:
    page = open_page()
    run(page, "await t.start({ cache: false })")
    run(page, EVICT)
    check_works(page)
    run(page, "t.crash('session', -1)")  # the replacement needs the model's bytes
    check_works(page)
    run(page, "t.crash('Python', -1)")
    check_works(page)


EVICT = """
    await new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase('webrerank');
      request.onsuccess = resolve;
      request.onerror = () => reject(request.error);
    });
    for (const name of await caches.keys()) await caches.delete(name);"""


@pytest.mark.parametrize("time", ["1970-01-02", "2106-02-08"])
def test_a_clock_that_is_wrong(open_page: OpenPage, time: str) -> None:
    page = open_page()
    page.clock.set_fixed_time(time)  # which is for the page alone
    clock = f"Date = class extends Date {{ static now = () => Date.parse('{time}'); }};"

    def set_back(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=clock + answer.text())

    page.route("**/workers/*-worker.js", set_back)
    run(page, "await t.start({ sessions: 1 })")
    check_works(page)
    body = """
        const stored = (await (await t.lib()).models.list()).filter(({ lastUsed }) => lastUsed);
        return stored.map(({ lastUsed }) => lastUsed.toISOString().slice(0, 10));"""
    assert run(page, body) == [time]


@pytest.mark.parametrize(
    ("locale", "zone"),
    [("tr-TR", "Pacific/Kiritimati"), ("ar-EG", "America/St_Johns")],
)
def test_places_with_other_rules(open_page: OpenPage, locale: str, zone: str) -> None:
    """Turkish has another lower case of I; Arabic writes other digits."""
    page = open_page(locale=locale, timezone_id=zone)
    run(page, "await t.start({ sessions: 1 })")
    check_works(page)
    shouting = run(page, "return t.rerank(...arg)", [BERLIN.upper(), BERLIN_DOCUMENTS])
    quiet = run(page, "return t.rerank(...arg)", [BERLIN.lower(), BERLIN_DOCUMENTS])
    logits = [result["logit"] for result in shouting["results"]]
    assert logits == [result["logit"] for result in quiet["results"]], "the tokenizer lowers case"
