"""What changes around a running page: storage that goes, odd clocks and places."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route

from tests.e2e.conftest import OpenPage
from tests.e2e.support import BERLIN, BERLIN_DOCUMENTS, check_works, run


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
