"""The database of models: what goes bad, what does not fit, who else is there, what is kept."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.e2e.support import run
from tests.hub.contents import Fault
from tests.hub.server import Hub
from tests.store.conftest import OpenPage, OpenProfile, Publish
from tests.store.support import (
    CHUNK,
    L12,
    L12_BYTES,
    L12_FILE,
    NOTHING,
    TINY,
    TINY_FILE,
    check_no_stray_chunks,
    check_whole,
    hash_of,
    prefetch,
    stored,
    use_once,
)
from tools.serve import Server


@pytest.fixture(autouse=True)
def models(published: Publish, bundled_on_hub: str) -> None:
    """The two models of these tests are on the hub."""
    published("bert")


@pytest.mark.parametrize(
    ("damage", "index"), [("corrupt", 0), ("corrupt", 1), ("corrupt", 2), ("evict", 1)]
)
def test_a_bad_chunk_is_fetched_again_alone(page: Page, hub: Hub, damage: str, index: int) -> None:
    prefetch(page, L12)
    hub.log.clear()
    run(page, "return t[arg[0]](arg[1], arg[2])", [damage, hash_of(hub, L12_FILE), index])
    check_whole(page, hub, L12_FILE, prefetch(page, L12))
    end = min((index + 1) * CHUNK, L12_BYTES)
    ranges = [asked.range for asked in hub.asked(L12_FILE)]
    assert ranges == [f"bytes={index * CHUNK}-{end - 1}"]
    assert hub.sent(L12_FILE) == end - index * CHUNK


def test_a_bad_chunk_without_network_costs_no_other(page: Page, hub: Hub) -> None:
    prefetch(page, L12)
    run(page, "return t.corrupt(arg, 1)", hash_of(hub, L12_FILE))
    hub.down = True
    error = prefetch(page, L12)["error"]
    assert error["code"] == "model_load" and error["retryable"]
    hub.down = False
    hub.log.clear()
    check_whole(page, hub, L12_FILE, prefetch(page, L12))
    assert hub.sent(L12_FILE) == CHUNK


def test_a_bad_chunk_that_the_host_has_no_more(page: Page, hub: Hub) -> None:
    """The host has other bytes by now: the file is downloaded whole, and refused."""
    prefetch(page, TINY)
    run(page, "return t.corrupt(arg, 0)", hash_of(hub, TINY_FILE))
    size = hub.repositories[TINY]["onnx/model.onnx"].size
    hub.fault(TINY_FILE, Fault(content=bytes(size)), forever=True)
    assert prefetch(page, TINY)["error"]["code"] == "model_integrity"


def set_quota(page: Page, size: int) -> None:
    session = page.context.new_cdp_session(page)
    origin = run(page, "return location.origin")
    session.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": size})


@pytest.mark.parametrize("quota", [10_000, CHUNK + 8_000_000])
def test_no_room_runs_from_memory(page: Page, hub: Hub, quota: int) -> None:
    """None of it fits, or the first chunk does."""
    set_quota(page, quota)
    answer = use_once(page, L12)
    assert answer["value"]["saved"] is False
    assert answer["value"]["logits"][0] > answer["value"]["logits"][1]
    assert prefetch(page, L12)["value"]["saved"] is False
    records = stored(page)
    assert records["releases"] == [] and records["partials"] == []
    assert hash_of(hub, L12_FILE) not in [file["sha256"] for file in records["files"]]
    check_no_stray_chunks(records)


def test_two_tabs_at_once(open_page: OpenPage, site: Server, hub: Hub) -> None:
    first = open_page()
    second = first.context.new_page()
    second.goto(site.url + "blank.html")
    hub.fault(L12_FILE, Fault(bytes_per_second=6_000_000))
    for page in (first, second):
        run(
            page,
            "t.running = t.once(...arg); return 0",
            [{"model": L12, "sessions": 1}, "q", ["a"]],
        )
    answers = [run(page, "return t.running") for page in (first, second)]
    assert [answer["value"]["saved"] for answer in answers] == [True, True]
    assert answers[0]["value"]["logits"] == answers[1]["value"]["logits"]
    assert hub.sent(L12_FILE) == L12_BYTES and len(hub.asked(L12_FILE)) == 1


def test_a_tab_that_waits_says_so(open_page: OpenPage, site: Server, hub: Hub) -> None:
    """Else its page would give the worker up after two minutes."""
    first = open_page()
    second = first.context.new_page()
    second.goto(site.url + "blank.html")
    hub.fault(TINY_FILE, Fault(hold_at=1_000))
    run(first, "t.prefetch(arg); return 0", TINY)
    first.wait_for_function("() => t.progress.some(({ file }) => file === 'onnx/model.onnx')")
    run(second, "t.running = t.prefetch(arg); return 0", TINY)
    second.wait_for_timeout(5_500)
    assert run(second, "return t.told.file") == "onnx/model.onnx"
    hub.release()
    first.close()
    assert run(second, "return t.running")["value"]["saved"] is True


def test_a_tab_that_takes_over(open_page: OpenPage, site: Server, hub: Hub) -> None:
    """The tab that downloads is closed; the one that waited goes on from its chunks."""
    first = open_page()
    second = first.context.new_page()
    second.goto(site.url + "blank.html")
    hub.fault(L12_FILE, Fault(hold_at=CHUNK + 5_000_000))
    run(first, "t.prefetch(arg); return 0", L12)
    first.wait_for_function("arg => t.told?.loadedBytes >= arg", arg=CHUNK + 5_000_000)
    run(second, "t.running = t.prefetch(arg); return 0", L12)
    first.close()
    check_whole(second, hub, L12_FILE, run(second, "return t.running"))
    hub.release()
    assert [asked.range for asked in hub.asked(L12_FILE)] == [None, f"bytes={CHUNK}-"]


def test_a_restarted_browser_without_hub(open_profile: OpenProfile, site: Server, hub: Hub) -> None:
    """The last model used by each name is there again, and nobody is asked."""
    logits = []
    for _ in range(2):
        context = open_profile()
        page = context.new_page()
        page.goto(site.url + "blank.html")
        answer = use_once(page, TINY)
        assert answer.get("error") is None
        logits.append(answer["value"]["logits"])
        context.close()
        hub.log.clear()
        hub.down = True
    assert logits[0] == logits[1] and hub.log == []


def test_nothing_but_its_own_is_touched(page: Page, hub: Hub) -> None:
    kept = run(
        page,
        """
        const open = (name) => new Promise((resolve, reject) => {
          const request = indexedDB.open(name, 1);
          request.onupgradeneeded = () => request.result.createObjectStore('chunks').put(1, 'mine');
          request.onsuccess = () => (request.result.close(), resolve());
          request.onerror = reject;
        });
        await open('theirs');
        localStorage.setItem('webrerank', 'theirs');
        await (await caches.open('webrerank-theirs')).put('./x', new Response('x'));
        const { models } = await t.lib();
        await models.prefetch(arg);
        await models.remove(arg);
        await models.prefetch(arg);
        await models.remove();
        return {
          databases: (await indexedDB.databases()).map(({ name }) => name).sort(),
          caches: await caches.keys(), storage: { ...localStorage },
        };""",
        TINY,
    )
    assert kept == {
        "databases": ["theirs", "webrerank"],
        "caches": ["webrerank-theirs"],
        "storage": {"webrerank": "theirs"},
    }
    assert stored(page) == NOTHING
