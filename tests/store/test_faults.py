"""What can happen to a download: each fault of the hub, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.hub.contents import CDN_HOST, HUB_HOST, Fault
from tests.hub.server import Hub
from tests.store.conftest import Publish
from tests.store.support import (
    CHUNK,
    IN_FLIGHT,
    L12,
    L12_BYTES,
    L12_FILE,
    TINY,
    TINY_CONFIG,
    TINY_FILE,
    check_nothing_kept,
    check_progress,
    check_whole,
    prefetch,
    stored,
)


@pytest.fixture(autouse=True)
def models(published: Publish, bundled_on_hub: str) -> None:
    """The two models of these tests are on the hub."""
    published("bert")


def test_a_plain_download(page: Page, hub: Hub) -> None:
    answer = prefetch(page, L12)
    check_whole(page, hub, L12_FILE, answer)
    check_progress(answer["progress"], L12_BYTES)
    files = {event["file"] for event in answer["progress"]}
    assert files >= {"tokenizer.json", "onnx/model_quantized.onnx"}
    assert hub.sent(L12_FILE) == L12_BYTES
    # Both kinds of redirect were followed: to the storage, and to the hub's own cache.
    assert [asked.host for asked in hub.asked(L12_FILE)] == [CDN_HOST]
    assert [asked.host for asked in hub.asked(f"{L12}/config.json")] == [HUB_HOST]
    assert not [asked for asked in hub.log if asked.hop in ("preflight", "other")]


def test_what_is_asked_for(page: Page, hub: Hub) -> None:
    """The listing once, then each file once, at the commit of the listing."""
    prefetch(page, TINY)
    asked = [(entry.hop, entry.path, entry.status) for entry in hub.log if entry.hop != "content"]
    assert asked[0] == ("tree", TINY, 200)
    files = [("config.json", 307), ("tokenizer.json", 307), ("onnx/model.onnx", 302)]
    assert set(asked[1:]) == {("resolve", f"{TINY}/{name}", status) for name, status in files}
    assert len(asked) == 4


def test_a_second_time_asks_for_nothing(page: Page, hub: Hub) -> None:
    prefetch(page, TINY)
    hub.log.clear()
    hub.down = True
    answer = prefetch(page, TINY)
    assert answer["value"]["saved"] is True and hub.log == []
    loads = [event for event in answer["progress"] if event["phase"] == "download"]
    assert {event["fromCache"] for event in loads} == {True}


@pytest.mark.parametrize("place", [1_000, CHUNK + 5_000_000, L12_BYTES - 1])
def test_a_dropped_connection_goes_on(page: Page, hub: Hub, place: int) -> None:
    hub.fault(L12_FILE, Fault(cut_at=place))
    answer = prefetch(page, L12)
    check_whole(page, hub, L12_FILE, answer)
    check_progress(answer["progress"], L12_BYTES)
    assert len(hub.asked(L12_FILE)) == 2
    assert hub.sent(L12_FILE) - L12_BYTES <= CHUNK + IN_FLIGHT


def test_many_drops(page: Page, hub: Hub) -> None:
    places = [100, 5_000_000, CHUNK + 9_000_000, CHUNK + 9_000_001, 2 * CHUNK + 200_000]
    hub.fault(L12_FILE, *(Fault(cut_at=place) for place in places))
    answer = prefetch(page, L12)
    check_whole(page, hub, L12_FILE, answer)
    assert len(hub.asked(L12_FILE)) == len(places) + 1


def test_a_resumed_download_outlives_a_busy_host(page: Page, hub: Hub) -> None:
    """What is there is not given up because the host answers 503 for once."""
    hub.fault(L12_FILE, Fault(cut_at=CHUNK + 9_000_000), Fault(status=503))
    check_whole(page, hub, L12_FILE, prefetch(page, L12))
    assert [asked.range for asked in hub.asked(L12_FILE)] == [None, f"bytes={CHUNK}-"]


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_busy_host_is_asked_again(page: Page, hub: Hub, status: int) -> None:
    hub.fault(TINY_CONFIG, Fault(status=status), Fault(status=status))
    check_whole(page, hub, TINY_FILE, prefetch(page, TINY))
    statuses = [asked.status for asked in hub.asked(TINY_CONFIG, "resolve")]
    assert statuses == [status, status, 307]


def test_a_broken_host_is_given_up(page: Page, hub: Hub) -> None:
    hub.fault(TINY_FILE, Fault(status=500), forever=True)
    error = prefetch(page, TINY)["error"]
    assert error["code"] == "model_load" and error["retryable"] and "500" in error["message"]
    assert len(hub.asked(TINY_FILE, "resolve")) == 5


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_what_is_not_there_is_asked_for_once(page: Page, hub: Hub, status: int) -> None:
    hub.fault(TINY_FILE, Fault(status=status), forever=True)
    error = prefetch(page, TINY)["error"]
    assert error["typed"] and error["code"] in ("model_load", "unsupported_model")
    assert len(hub.asked(TINY_FILE, "resolve")) == 1


def test_a_host_without_ranges_starts_over(page: Page, hub: Hub) -> None:
    hub.fault(L12_FILE, Fault(cut_at=CHUNK + 9_000_000), Fault(ignore_range=True))
    answer = prefetch(page, L12)
    check_whole(page, hub, L12_FILE, answer)
    check_progress(answer["progress"], L12_BYTES)
    _, second = hub.asked(L12_FILE)
    assert second.range == f"bytes={CHUNK}-" and second.status == 200 and second.first == 0


def test_another_etag_starts_over(page: Page, hub: Hub) -> None:
    """Even if the host sends a part of it: parts of two files are never put together."""
    changed = Fault(etag='"another"')
    hub.fault(L12_FILE, Fault(cut_at=CHUNK + 9_000_000), changed, changed)
    check_whole(page, hub, L12_FILE, prefetch(page, L12))
    _, second, third = hub.asked(L12_FILE)
    assert (second.status, third.status, third.range) == (206, 200, None)


def test_a_file_that_became_shorter_starts_over(page: Page, hub: Hub) -> None:
    """The host answers 416: what is asked for lies behind the end. Then it has the right one."""
    shorter = Fault(content=b"short", etag='"another"')
    hub.fault(L12_FILE, Fault(cut_at=CHUNK + 9_000_000), shorter)
    check_whole(page, hub, L12_FILE, prefetch(page, L12))
    assert [asked.status for asked in hub.asked(L12_FILE)] == [200, 416, 200]


def test_no_length(page: Page, hub: Hub) -> None:
    hub.fault(TINY_FILE, Fault(no_length=True))
    answer = prefetch(page, TINY)
    check_whole(page, hub, TINY_FILE, answer)
    check_progress(answer["progress"], hub.repositories[TINY]["onnx/model.onnx"].size)


def test_a_slow_host(page: Page, hub: Hub) -> None:
    size = hub.repositories[TINY]["onnx/model.onnx"].size
    hub.fault(TINY_FILE, Fault(bytes_per_second=size / 2))
    answer = prefetch(page, TINY)
    check_whole(page, hub, TINY_FILE, answer)
    check_progress(answer["progress"], size)
    loads = [event for event in answer["progress"] if event["file"] == "onnx/model.onnx"]
    assert len({event["loadedBytes"] for event in loads}) > 2, "progress in steps, not at the end"


def _spoil(whole: bytes) -> bytes:
    return whole[:1_000] + bytes([whole[1_000] ^ 1]) + whole[1_001:]


WRONG: dict[str, Callable[[bytes], Fault]] = {
    "wrong bytes": lambda whole: Fault(content=_spoil(whole)),
    "truncated": lambda whole: Fault(content=whole[:-1000]),
    "truncated, no length": lambda whole: Fault(content=whole[:-1000], no_length=True),
    "longer": lambda whole: Fault(content=whole + b"more"),
    "longer, no length": lambda whole: Fault(content=whole + b"more", no_length=True),
    "empty": lambda whole: Fault(content=b""),
    "html": lambda whole: Fault(content=b"<!doctype html><p>Sign in", content_type="text/html"),
    "html, unsaid": lambda whole: Fault(content=b"<!doctype html><p>Sign in to this network"),
    "html of the same length": lambda whole: Fault(content=b"<html>".ljust(len(whole))),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_answer_never_enters_the_cache(page: Page, hub: Hub, kind: str) -> None:
    whole = hub.repositories[TINY]["onnx/model.onnx"].disk.read_bytes()
    hub.fault(TINY_FILE, WRONG[kind](whole), forever=True)
    error = prefetch(page, TINY)["error"]
    assert error["code"] == "model_integrity" and error["typed"]
    assert "onnx/model.onnx" in error["message"]
    check_nothing_kept(page, hub, TINY_FILE)
    hub.reset()
    check_whole(page, hub, TINY_FILE, prefetch(page, TINY))


def test_what_an_earlier_visit_left_wrong_is_fetched_anew(page: Page, hub: Hub) -> None:
    """The first chunk came wrong, then the connection broke for good."""
    whole = hub.repositories[L12]["onnx/model_quantized.onnx"].disk.read_bytes()
    first = Fault(content=_spoil(whole), cut_at=CHUNK + 9_000_000)
    hub.fault(L12_FILE, first, Fault(status=404))
    assert prefetch(page, L12)["error"]["code"] in ("model_load", "unsupported_model")
    assert [len(partial["chunks"]) for partial in stored(page)["partials"]] == [1]
    check_whole(page, hub, L12_FILE, prefetch(page, L12))
    ranges = [asked.range for asked in hub.asked(L12_FILE)]
    assert ranges == [None, f"bytes={CHUNK}-", None]


def test_html_for_a_small_file(page: Page, hub: Hub) -> None:
    html = Fault(content=b"<!doctype html>", content_type="text/html; charset=utf-8")
    hub.fault(TINY_CONFIG, html, forever=True)
    assert prefetch(page, TINY)["error"]["code"] == "model_integrity"
    hub.reset()
    check_whole(page, hub, TINY_FILE, prefetch(page, TINY))
