"""A model's files always come from one release: new ones are seen, taken whole, or left alone."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.support import native_logits, run
from tests.hub.contents import CDN_HOST, Fault
from tests.hub.server import Hub
from tests.hub.tiny_models import MODEL_FILES, make_model
from tests.store.conftest import OpenPage
from tests.store.support import DOCUMENTS, QUERY, check_no_stray_chunks, prefetch, stored, use_once

MONDAY, TUESDAY = (f"{day} Nov 2026 08:00:00 GMT" for day in ("Mon, 02", "Tue, 03"))
NAME = "test/two-releases"
PLACES = ["own folder", "foreign folder", "foreign folder without ETag and date"]


class Place:
    """Somewhere a model's folder is served, where one release follows another."""

    def __init__(self, kind: str, hub: Hub, site_folder: Path, tmp_path: Path) -> None:
        self.hub = hub
        self.kind = kind
        self.own = kind == "own folder"
        self.folder = (site_folder if self.own else tmp_path) / "two-releases"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.model = "./two-releases/" if self.own else f"https://{CDN_HOST}/plain/{NAME}/"
        self.model = NAME if kind == "hub" else self.model
        hub.plain = kind != "hub" and not self.own

    def publish_first(self) -> None:
        make_model(self.folder, "bert")
        self._publish(MONDAY)

    def publish_second(self) -> None:
        """Words have other numbers, and there is an int8 file."""
        made = make_model(self.folder.with_name("int8"), "bert-q8")
        shutil.copyfile(made / MODEL_FILES["q8"], self.folder / MODEL_FILES["q8"])
        shutil.rmtree(made)
        path = self.folder / "tokenizer.json"
        tokenizer = json.loads(path.read_text(encoding="utf-8"))
        tokenizer["model"]["vocab"] = renumbered(tokenizer["model"]["vocab"])
        path.write_text(json.dumps(tokenizer), encoding="utf-8")
        self._publish(TUESDAY)

    def _publish(self, date: str) -> None:
        time.sleep(0.01)  # the own site tells releases apart by the time
        self.hub.add(NAME, self.folder)
        self.hub.modified = None if "without" in self.kind else date

    def go_offline(self, page: Page) -> None:
        self.hub.down = True
        page.context.route("**/two-releases/**", lambda route: route.abort())

    def come_back(self, page: Page) -> None:
        self.hub.down = False
        page.context.unroute("**/two-releases/**")


def renumbered(vocabulary: dict[str, int]) -> dict[str, int]:
    """Special tokens keep their numbers; all others count backwards."""
    words = [word for word in vocabulary if not word.startswith("[")]
    numbers = sorted((vocabulary[word] for word in words), reverse=True)
    by_number = sorted(words, key=vocabulary.__getitem__)
    return {**vocabulary, **dict(zip(by_number, numbers, strict=True))}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, hub: Hub, site_folder: Path, tmp_path: Path) -> Place:
    return Place(request.param, hub, site_folder, tmp_path)


@pytest.fixture
def foreign(hub: Hub, site_folder: Path, tmp_path: Path) -> Place:
    return Place("foreign folder", hub, site_folder, tmp_path)


@pytest.fixture
def hub_place(hub: Hub, site_folder: Path, tmp_path: Path) -> Place:
    return Place("hub", hub, site_folder, tmp_path)


def rank(page: Page, place: Place, **options: Any) -> tuple[list[float], str]:
    """Logits, and the precision that ran."""
    answer = use_once(page, place.model, **options)
    assert answer.get("error") is None, answer
    assert answer["value"]["saved"] is True
    return answer["value"]["logits"], answer["value"]["dtype"]


def update(page: Page, *arguments: Any) -> list[dict[str, Any]]:
    body = "const { models } = await t.lib(); return models.update(...arg)"
    answers: list[dict[str, Any]] = run(page, body, list(arguments))
    return answers


def test_a_returning_visitor_gets_the_new_release_whole(open_page: OpenPage, place: Place) -> None:
    """Neither new weights with the old tokenizer, nor the old model for ever."""
    place.publish_first()
    page = open_page()
    first, dtype = rank(page, place)
    assert dtype == "fp32"
    place.publish_second()
    place.go_offline(page)
    assert rank(page, place) == (first, "fp32"), "offline it stays"
    place.come_back(page)
    returning = rank(page, place)
    assert returning == rank(open_page(), place) and returning[1] == "q8"
    [native] = native_logits(place.folder, [(QUERY, DOCUMENTS)])
    # int8 is rounded otherwise natively, as in test_architectures.py.
    assert returning[0] == pytest.approx(native, abs=0.1)
    assert returning[0] != pytest.approx(first, abs=0.05)
    place.go_offline(page)
    assert rank(page, place) == returning
    records = stored(page)
    assert len(records["files"]) == 3, "nothing of the old release stays"
    check_no_stray_chunks(records)


def test_files_replaced_under_the_same_names(page: Page, place: Place) -> None:
    place.publish_first()
    first, _ = rank(page, place)
    make_model(place.folder, "bert-two-labels")
    place._publish(TUESDAY)
    second, _ = rank(page, place)
    assert second != first
    [native] = native_logits(place.folder, [(QUERY, DOCUMENTS)])
    assert second == pytest.approx(native, abs=1e-3)


def test_nothing_new_is_not_downloaded(page: Page, foreign: Place) -> None:
    foreign.publish_first()
    first = rank(page, foreign)
    foreign.hub.log.clear()
    assert rank(page, foreign) == first
    assert foreign.hub.log and {asked.method for asked in foreign.hub.log} == {"HEAD"}


def test_a_new_precision_of_the_same_release(page: Page, foreign: Place) -> None:
    """What is stored is used; only the new file is downloaded."""
    foreign.publish_first()
    rank(page, foreign)
    foreign.hub.log.clear()
    rank(page, foreign, dtype="fp32")
    shutil.copyfile(
        make_model(foreign.folder.with_name("int8"), "bert-q8") / MODEL_FILES["q8"],
        foreign.folder / MODEL_FILES["q8"],
    )
    foreign._publish(MONDAY)
    assert rank(page, foreign)[1] == "q8"
    asked = {entry.path for entry in foreign.hub.log if entry.method == "GET"}
    assert asked == {f"{NAME}/{MODEL_FILES['q8']}"}
    assert rank(page, foreign, dtype="fp32")[1] == "fp32", "both are kept"
    assert len(stored(page)["files"]) == 4


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(hold_at=1_000)], ids=["500", "stalls"])
def test_a_release_that_cannot_be_had_leaves_the_old_one(
    page: Page, foreign: Place, fault: Fault
) -> None:
    foreign.publish_first()
    first = rank(page, foreign)
    foreign.publish_second()
    path = f"{NAME}/{MODEL_FILES['q8']}"
    if fault.status:  # the plain host knows no status: it answers with another file
        fault = Fault(content=b"", content_type="text/html")
    foreign.hub.fault(path, fault, forever=True)
    assert rank(page, foreign) == first
    foreign.hub.release()
    foreign.hub.fault(path, Fault())
    assert rank(page, foreign)[1] == "q8"


def test_a_release_in_the_middle_of_a_download(page: Page, foreign: Place) -> None:
    """The weights are of the first release, what comes after them of the second."""
    foreign.publish_first()
    size = (foreign.folder / MODEL_FILES["fp32"]).stat().st_size
    foreign.hub.fault(f"{NAME}/{MODEL_FILES['fp32']}", Fault(hold_at=size - 1))
    run(page, "t.running = t.prefetch(arg, { dtype: 'fp32' }); return 0", foreign.model)
    page.wait_for_function("arg => t.told?.loadedBytes >= arg", arg=size - 1)
    make_model(foreign.folder, "bert-two-labels")
    foreign._publish(TUESDAY)
    foreign.hub.release()
    assert run(page, "return t.running")["value"]["saved"] is True
    [native] = native_logits(foreign.folder, [(QUERY, DOCUMENTS)])
    assert rank(page, foreign)[0] == pytest.approx(native, abs=1e-3)


def test_a_host_that_changes_without_end(page: Page, foreign: Place) -> None:
    foreign.publish_first()
    foreign.hub.restless = True
    error = prefetch(page, foreign.model)["error"]
    assert error["code"] == "model_load" and "changed on its host" in error["message"]
    assert stored(page)["releases"] == []


def test_a_hub_model_stays_at_its_commit_until_it_is_updated(
    open_page: OpenPage, hub_place: Place
) -> None:
    page = open_page()
    hub_place.publish_first()
    first = rank(page, hub_place)
    hub_place.publish_second()
    hub_place.hub.log.clear()
    assert rank(page, hub_place) == first and hub_place.hub.log == []
    [answer] = update(page, NAME)
    assert answer == {
        **{"id": NAME, "updated": True, "changed": ["tokenizer.json"], "error": None},
        "revision": hub_place.hub.commits[NAME],
    }
    fresh = rank(open_page(), hub_place, dtype="fp32")
    assert rank(page, hub_place, dtype="fp32") == fresh != first
    assert rank(page, hub_place) == rank(open_page(), hub_place)
    assert update(page)[0]["updated"] is False


def test_update_of_all_says_what_each_came_to(page: Page, hub: Hub, hub_place: Place) -> None:
    hub_place.publish_first()
    hub.add("test/gone", hub_place.folder)
    for model in (NAME, "test/gone"):
        assert prefetch(page, model)["value"]["saved"] is True
    del hub.repositories["test/gone"]
    body = """const { models } = await t.lib();
      return (await models.update()).map((answer) =>
        ({ ...answer, error: answer.error && t.describe(answer.error) }));"""
    answers = {answer["id"]: answer for answer in run(page, body)}
    assert answers[NAME]["error"] is None and answers[NAME]["updated"] is False
    assert answers["test/gone"]["error"]["typed"]
    assert answers["test/gone"]["error"]["code"] == "unsupported_model"
    hub.add("test/gone", hub_place.folder)


def test_update_of_what_is_not_stored(page: Page, hub: Hub) -> None:
    body = "const { models } = await t.lib(); return t.outcome(() => models.update('test/none'))"
    error = run(page, body)["error"]
    assert error["code"] == "invalid_request" and "models.prefetch" in error["message"]
