"""What hosts do: refuse HEAD, answer with a page, ask to wait, want a token; mirrors of the hub."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.e2e.support import run
from tests.hub.contents import CDN_HOST, HUB_HOST, MIRROR_HOST, Fault
from tests.hub.server import Hub
from tests.store.conftest import Publish
from tests.store.support import L12, TINY, TINY_CONFIG, TINY_FILE, hash_of, prefetch, stored

FOLDER = f"https://{CDN_HOST}/plain/{TINY}/"
MIRROR = f"https://{MIRROR_HOST}"


@pytest.fixture(autouse=True)
def folder(hub: Hub, published: Publish) -> Path:
    return published("bert")


@pytest.mark.parametrize("status", [403, 405, 501])
def test_a_host_that_refuses_head(page: Page, hub: Hub, status: int) -> None:
    hub.plain, hub.head_status = True, status
    assert prefetch(page, FOLDER)["value"]["saved"] is True
    hub.log.clear()
    assert prefetch(page, FOLDER)["value"]["saved"] is True
    size = hub.repositories[TINY]["onnx/model.onnx"].size
    assert hub.sent(TINY_FILE) < size + 2**20, "a look is no download"


def test_a_host_that_answers_all_with_its_page(page: Page, hub: Hub) -> None:
    """What is optional is missing then; what is not is named, with the reason."""
    hub.plain = hub.page_for_missing = True
    assert prefetch(page, FOLDER)["value"]["saved"] is True
    assert len(stored(page)["files"]) == 3
    hub.repositories["test/half"] = {"config.json": hub.repositories[TINY]["config.json"]}
    error = prefetch(page, FOLDER.replace(TINY, "test/half"))["error"]
    assert error["code"] == "model_load" and error["retryable"] is False
    assert "no tokenizer.json" in error["message"] and "web page" in error["message"]


def test_a_token_goes_with_every_file(page: Page, hub: Hub) -> None:
    hub.plain, hub.token = True, "s3cret"
    assert prefetch(page, f"{FOLDER}?token=s3cret")["value"]["saved"] is True
    error = prefetch(page, FOLDER)["error"]
    assert error["code"] == "model_load" and "401" in error["message"]
    assert "s3cret" not in error["message"]


def test_a_folder_that_cannot_be_reached(page: Page, hub: Hub) -> None:
    hub.down = True
    error = prefetch(page, FOLDER)["error"]
    assert error["code"] == "model_load" and error["retryable"]
    assert "cannot be reached" in error["message"]


def wait(seconds: str) -> tuple[tuple[str, str], ...]:
    """What a busy host sends, and lets scripts of other sites read."""
    return (("Retry-After", seconds), ("Access-Control-Expose-Headers", "*"))


def test_a_host_that_asks_to_wait(page: Page, hub: Hub) -> None:
    hub.fault(TINY_CONFIG, Fault(status=429, headers=wait("2")))
    started = time.monotonic()
    assert prefetch(page, TINY)["value"]["saved"] is True
    assert time.monotonic() - started > 2
    assert [asked.status for asked in hub.asked(TINY_CONFIG, "resolve")] == [429, 307]


def test_a_host_that_asks_for_too_much_time(page: Page, hub: Hub) -> None:
    """It is not asked before, and the error says when to come back."""
    hub.fault(TINY_CONFIG, Fault(status=503, headers=wait("3600")), forever=True)
    error = prefetch(page, TINY)["error"]
    assert error["code"] == "model_load" and error["retryable"]
    assert "3600 seconds" in error["message"]
    assert len(hub.asked(TINY_CONFIG, "resolve")) == 1


@pytest.mark.parametrize("rest", ["", "/", "/tree/main", "/blob/main/config.json", "/resolve/main"])
def test_the_address_of_a_page_of_the_hub(page: Page, hub: Hub, rest: str) -> None:
    answer = prefetch(page, f"https://{HUB_HOST}/{TINY}{rest}")
    assert answer["value"]["saved"] is True and answer["value"]["id"] == TINY
    assert stored(page)["releases"] == [TINY]


def test_a_revision(page: Page, hub: Hub) -> None:
    commit = hub.commits[TINY]
    assert prefetch(page, f"https://{HUB_HOST}/{TINY}/tree/{commit}")["value"]["saved"] is True
    assert stored(page)["releases"] == [f"{TINY}@{commit}"]
    hub.log.clear()
    assert prefetch(page, f"{TINY}@{commit}")["value"]["saved"] is True and hub.log == []
    error = prefetch(page, f"{TINY}@none")["error"]
    assert error["code"] == "unsupported_model" and "revision" in error["message"]


def test_a_mirror(page: Page, hub: Hub) -> None:
    """For hub ids and for the catalogue's; what it gave is used without it, and shared."""
    assert prefetch(page, TINY, hub=f"{MIRROR}/")["value"]["saved"] is True
    resolved = [asked.host for asked in hub.log if asked.hop in ("tree", "resolve")]
    assert set(resolved) == {MIRROR_HOST}
    assert hash_of(hub, TINY_FILE) in [file["sha256"] for file in stored(page)["files"]]
    hub.log.clear()
    assert prefetch(page, TINY)["value"]["saved"] is True and hub.log == []
    model = "Xenova/ms-marco-MiniLM-L-6-v2"
    hub.repositories[model] = dict(hub.repositories[TINY])
    hub.commits[model] = "0"
    prefetch(page, model, hub=MIRROR)
    assert {asked.host for asked in hub.log} == {MIRROR_HOST}


def test_a_mirror_that_hides_the_commit(page: Page, hub: Hub) -> None:
    """It is asked for: a model that is not pinned could be of two releases."""
    hub.hides_commit = True
    assert prefetch(page, TINY, hub=MIRROR)["value"]["saved"] is True
    release = run(page, "return t.inStore('releases', 'readonly', (s) => s.get(arg))", TINY)
    assert release["revision"] == hub.commits[TINY]


@pytest.mark.parametrize("hub_option", ["mirror.test", "ftp://mirror.test", "", 5, f"{MIRROR}?x"])
def test_a_mirror_that_is_none(page: Page, hub_option: object) -> None:
    body = """const { createReranker, rerank, models } = await t.lib();
      const outcomes = [
        await t.outcome(() => createReranker({ hub: arg })),
        await t.outcome(() => rerank({ query: 'q', documents: ['a'], hub: arg })),
        await t.outcome(() => models.prefetch('owner/name', { hub: arg })),
        await t.outcome(() => models.update('owner/name', { hub: arg })),
      ];
      return outcomes.map(({ error }) => error)"""
    for error in run(page, body, hub_option):
        assert error["code"] == "invalid_request" and error["message"].startswith("hub must be")


def test_what_is_stored_is_shared_by_content(page: Page, hub: Hub, bundled_on_hub: str) -> None:
    """The same model from the hub and from a folder: the second is told apart only by its name."""
    prefetch(page, L12)
    before = len(stored(page)["files"])
    hub.plain = True
    assert prefetch(page, f"https://{CDN_HOST}/plain/{L12}/")["value"]["saved"] is True
    records = stored(page)
    assert len(records["files"]) == before and len(records["releases"]) == 2
