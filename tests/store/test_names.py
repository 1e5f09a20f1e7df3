"""From a model's name to its files: the catalogue's hashes, the hub's listing, its refusals."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page

from tests.e2e.support import ROOT, run
from tests.hub.contents import Fault
from tests.hub.server import Hub
from tests.store.conftest import Publish
from tests.store.support import L12, TINY, prefetch, stored


@pytest.fixture(autouse=True)
def models(published: Publish, bundled_on_hub: str) -> None:
    """The two models of these tests are on the hub."""
    published("bert")


def test_wrong_bytes_for_a_model_of_the_catalogue(page: Page, hub: Hub) -> None:
    """Its hashes are pinned, so nobody can put another model in its place."""
    model = "Xenova/ms-marco-MiniLM-L-6-v2"
    entry = run(
        page,
        """const { models } = await (await fetch(await t.inRelease('catalogue.json'))).json();
        return models.find(({ id }) => id === arg);""",
        model,
    )
    weights = next(file for file in entry["files"] if file["path"].endswith("_quantized.onnx"))
    hub.repositories[model] = dict(hub.repositories[L12])
    hub.commits[model] = entry["revision"]
    hub.fault(f"{model}/{weights['path']}", Fault(content=bytes(weights["bytes"])), forever=True)
    assert prefetch(page, model)["error"]["code"] == "model_integrity"
    records = stored(page)
    assert records["releases"] == []
    assert weights["sha256"] not in [file["sha256"] for file in records["files"]]
    assert weights["sha256"] not in [partial["key"] for partial in records["partials"]]


def test_the_list_of_files(page: Page, hub: Hub) -> None:
    """Read page by page, asked for again after a 500, and not believed if it is a web page."""
    hub.page_size = 1
    hub.fault(f"{TINY}/tree", Fault(status=500))
    assert prefetch(page, TINY)["value"]["saved"] is True
    assert [asked.status for asked in hub.log if asked.hop == "tree"] == [500, 200, 200, 200]
    hub.repositories["test/none"], hub.commits["test/none"] = {}, "0"
    hub.fault("test/none/tree", Fault(content=b"<html>", content_type="text/html"), forever=True)
    error = prefetch(page, "test/none")["error"]
    assert error["code"] == "model_load" and error["retryable"]


def test_an_unknown_repository(page: Page, hub: Hub) -> None:
    error = prefetch(page, "nobody/nothing")["error"]
    assert error["code"] == "unsupported_model" and "nobody/nothing" in error["message"]
    assert len(hub.log) == 1


def test_no_hub(page: Page, hub: Hub) -> None:
    hub.down = True
    error = prefetch(page, TINY)["error"]
    assert error["code"] == "model_load" and error["retryable"]


def test_the_precision_of_a_file_by_its_name(page: Page) -> None:
    """The same cases as in Python (tests/golden/test_model_files.py)."""
    cases = json.loads((ROOT / "tests" / "cases" / "model_files.json").read_text(encoding="utf-8"))
    body = """const { modelPaths } = await import(await t.inRelease('lib/store/layout.js'));
      return arg.map(({ paths }) => modelPaths(paths));"""
    assert run(page, body, cases) == [case["found"] for case in cases]
