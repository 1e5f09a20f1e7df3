"""Files from disk never pass for a model that a site or a hub serves, nor break it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.support import MODEL, MODEL_FOLDER, run
from tests.hub.server import Hub
from tests.hub.tiny_models import make_model
from tests.store.conftest import OpenPage, Publish
from tests.store.support import (
    NOTHING,
    check_no_stray_chunks,
    folder_files,
    give_files,
    prefetch,
    stored,
    use_once,
)

WEIGHTS = "onnx/model_quantized.onnx"

EXPORT = """
    const { models } = await t.lib();
    globalThis.exported = new File([await models.export(arg)], 'x');"""

IMPORT = """
    const { models } = await t.lib();
    return t.outcome(() => models.import(globalThis.exported, ...arg));"""


def keep(page: Page, name: str, folder: Path) -> dict[str, Any]:
    give_files(page, folder_files(folder))
    body = """const { models } = await t.lib();
      return t.outcome(() => models.add(arg, globalThis.given))"""
    outcome: dict[str, Any] = run(page, body, name)
    return outcome


def stored_hash(page: Page, size: int) -> str:
    [sha256] = [file["sha256"] for file in stored(page)["files"] if file["bytes"] == size]
    return str(sha256)


@pytest.mark.parametrize("name", [MODEL, "Xenova/ms-marco-MiniLM-L-6-v2"])
def test_the_name_of_a_model_of_the_catalogue(page: Page, published: Publish, name: str) -> None:
    error = keep(page, name, published("bert-q8"))["error"]
    assert error["code"] == "invalid_request" and "another name" in error["message"]
    assert stored(page) == NOTHING
    keep(page, "mine", published("bert-q8"))
    run(page, EXPORT, "mine")
    disguise = """const text = await globalThis.exported.text();
      const bytes = await globalThis.exported.slice(text.indexOf('"files"')).arrayBuffer();
      const head = `webrerank-model-1\\n{"name":${JSON.stringify(arg)},`;
      globalThis.exported = new File([head, bytes], 'x');"""
    run(page, disguise, name)
    error = run(page, IMPORT, [])["error"]
    assert error["code"] == "invalid_request" and "models.import(file, { name" in error["message"]
    assert run(page, IMPORT, [{"name": "another"}])["value"] == "another"
    assert stored(page)["releases"] == ["another", "mine"]


def test_the_bundled_model_itself_may_be_imported(open_page: OpenPage) -> None:
    """It is that model then: a part that is lost comes from the site again."""
    page = open_page()
    assert prefetch(page, MODEL)["value"]["saved"] is True
    run(page, EXPORT, MODEL)
    run(page, "await (await t.lib()).models.remove(arg)", MODEL)
    assert stored(page) == NOTHING
    assert run(page, IMPORT, [])["value"] == MODEL
    size = (MODEL_FOLDER / WEIGHTS).stat().st_size
    run(page, "return t.evict(arg, 1)", stored_hash(page, size))
    answer = use_once(page)
    assert answer.get("error") is None and answer["value"]["saved"] is True
    assert answer["value"]["logits"][0] > answer["value"]["logits"][1]


def test_an_imported_copy_of_a_hub_model_that_loses_a_part(
    page: Page, hub: Hub, published: Publish
) -> None:
    """The hub has the model: it is loaded from there. Without, the error says what to do."""
    folder = published("bert")
    assert keep(page, "test/bert", folder).get("error") is None
    assert use_once(page, "test/bert")["value"]["saved"] is True and hub.log == []
    size = (folder / "onnx/model.onnx").stat().st_size
    run(page, "return t.evict(arg, 0)", stored_hash(page, size))
    hub.down = True
    error = prefetch(page, "test/bert")["error"]
    assert error["code"] == "model_load" and "Add the model again" in error["message"]
    hub.down = False
    assert use_once(page, "test/bert")["value"]["saved"] is True
    assert hub.sent("test/bert/onnx/model.onnx") == size


def test_an_imported_folder_is_not_used_in_place_of_what_the_site_serves(
    page: Page, site_folder: Path, published: Publish
) -> None:
    shutil.rmtree(site_folder / "served", ignore_errors=True)
    make_model(site_folder / "served", "bert")
    right = use_once(page, "./served/")["value"]["logits"]
    run(page, "await (await t.lib()).models.remove('./served/')")
    assert keep(page, "./served/", published("bert-two-labels")).get("error") is None
    assert use_once(page, "./served/")["value"]["logits"] == right
    check_no_stray_chunks(stored(page))


def test_an_export_is_whole_or_refused(page: Page, published: Publish) -> None:
    folder = published("xlm-roberta-external")
    keep(page, "mine", folder)
    size = (folder / "onnx/model.onnx_data").stat().st_size
    run(page, "return t.evict(arg, 0)", stored_hash(page, size))
    body = "const { models } = await t.lib(); return t.outcome(() => models.export('mine'))"
    error = run(page, body)["error"]
    assert error["code"] == "model_load" and "model.onnx_data" in error["message"]
    assert run(page, body.replace("mine", "none"))["error"]["code"] == "invalid_request"


def test_what_a_killed_tab_left_is_swept(open_page: OpenPage, published: Publish) -> None:
    """Files and chunks that no name refers to; a download that can go on stays."""
    page = open_page()
    keep(page, "mine", published("bert"))
    total = run(page, "return (await (await t.lib()).models.usage()).modelBytes")
    run(
        page,
        """
        const now = Date.now(), chunks = ['a'], bytes = 3, validator = null;
        const put = (name, ...given) => t.inStore(name, 'readwrite', (s) => s.put(...given));
        await put('files', { sha256: 'x', id: 'left-1', bytes, chunks, url: null, validator });
        const begun = { name: 'n', at: now, bytes, chunks, validator };
        await put('partials', { ...begun, id: 'left-2', key: null });
        await put('partials', { ...begun, id: 'kept', key: 'https://a/b' });
        for (const id of ['left-1', 'left-2', 'left-3', 'kept'])
          await put('chunks', new ArrayBuffer(3), [id, 0]);""",
    )
    usage = run(page, "return (await (await t.lib()).models.usage()).modelBytes")
    records = stored(page)
    check_no_stray_chunks(records)
    assert [partial["id"] for partial in records["partials"]] == ["kept"]
    assert len(records["files"]) == 3
    assert usage == total + 16 * 2**20, "the download that was broken off counts by whole chunks"


def test_what_another_tab_is_about_to_need_is_not_swept(
    open_page: OpenPage, published: Publish
) -> None:
    page = open_page()
    keep(page, "mine", published("bert"))
    run(
        page,
        """
        globalThis.held = new Promise((held) => navigator.locks.request(
          'webrerank:store', { mode: 'shared' },
          () => new Promise((release) => held((globalThis.release = release)))));
        await globalThis.held;
        const content = { bytes: 3, chunks: ['a'], url: null, validator: null };
        const file = { sha256: 'x', id: 'soon', ...content };
        await t.inStore('files', 'readwrite', (s) => s.put(file));
        await (await t.lib()).models.list();""",
    )
    assert "x" in [file["sha256"] for file in stored(page)["files"]]
    run(page, "globalThis.release(); await (await t.lib()).models.list()")
    assert "x" not in [file["sha256"] for file in stored(page)["files"]]


def test_version_1_of_the_database(page: Page, published: Publish) -> None:
    """What an unpublished version stored is dropped, and all works."""
    run(
        page,
        """
        await new Promise((resolve, reject) => {
          const request = indexedDB.open('webrerank', 1);
          request.onupgradeneeded = () => {
            const db = request.result;
            for (const name of ['files', 'partials'])
              db.createObjectStore(name, { keyPath: 'key' });
            db.createObjectStore('models', { keyPath: 'name' });
            db.createObjectStore('chunks').put(new ArrayBuffer(9), ['old', 0]);
          };
          request.onsuccess = () => (request.result.close(), resolve());
          request.onerror = reject;
        });""",
    )
    keep(page, "mine", published("bert"))
    records = stored(page)
    assert len(records["files"]) == 3 and len(records["chunks"]) == 3
    assert records["releases"] == ["mine"]
