"""Models as the user sees them: list, remove, add from disk, export and import, usage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
from playwright.sync_api import Page

from tests.e2e.support import native_logits, run
from tests.hub.server import Hub
from tests.hub.tiny_models import ARCHITECTURES, MODEL_FILES, make_model, write_onnx
from tests.store.conftest import OpenPage, Publish
from tests.store.support import (
    DOCUMENTS,
    NOTHING,
    QUERY,
    folder_files,
    give_files,
    prefetch,
    stored,
    use_once,
)


def models(page: Page, call: str, *arguments: Any) -> Any:
    """Call one of `models`; how it ended."""
    body = f"const {{ models }} = await t.lib(); return t.outcome(() => models.{call}(...arg))"
    return run(page, body, list(arguments))


def info(page: Page, name: str) -> dict[str, Any]:
    [found] = [entry for entry in models(page, "list")["value"] if entry["id"] == name]
    return dict(found)


def native(folder: Path) -> list[float]:
    [logits] = native_logits(folder, [(QUERY, DOCUMENTS)])
    return logits


def test_list_and_remove(page: Page, hub: Hub, published: Publish) -> None:
    folder = published("bert")
    assert models(page, "usage")["value"]["modelBytes"] == 0
    total = sum(len(content) for content in folder_files(folder).values())
    assert prefetch(page, "test/bert")["value"]["bytes"] == total + len("{}")
    entry = info(page, "test/bert")
    assert entry["storedBytes"] == total and entry["lastUsed"]
    size = (folder / MODEL_FILES["fp32"]).stat().st_size
    assert entry["dtypes"] == {"fp32": {"bytes": size, "stored": True}}
    usage = models(page, "usage")["value"]
    assert usage["modelBytes"] == total and usage["usedBytes"] >= total
    assert usage["quotaBytes"] > total and usage["persisted"] in (True, False)
    models(page, "remove", "test/bert")
    assert stored(page) == NOTHING


def test_remove_keeps_what_another_model_shares(
    page: Page, hub: Hub, published: Publish, tmp_path: Path
) -> None:
    """Two models with the same weights: removing one leaves the other whole, and offline."""
    folder = published("bert")
    twin = tmp_path / "twin"
    twin.mkdir()
    for path, content in folder_files(folder, str(twin)).items():
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_bytes(content)
    hub.add("test/twin", twin)
    prefetch(page, "test/bert")
    hub.log.clear()
    prefetch(page, "test/twin")
    assert hub.asked("test/twin/onnx/model.onnx") == [], "the same bytes are stored once"
    models(page, "remove", "test/bert")
    assert info(page, "test/twin")["dtypes"]["fp32"]["stored"] is True
    hub.down = True
    assert prefetch(page, "test/twin")["value"]["saved"] is True


def test_remove_what_was_left_half_way(page: Page, hub: Hub, bundled_on_hub: str) -> None:
    """Without a name everything goes, the parts of what was never finished too."""
    run(
        page,
        """const { models } = await t.lib();
        const stop = new AbortController();
        const onProgress = ({ loadedBytes }) => loadedBytes > 2e7 && stop.abort();
        await models.prefetch(arg, { signal: stop.signal, onProgress }).catch(() => {});""",
        bundled_on_hub,
    )
    assert stored(page)["chunks"] != []
    models(page, "remove")
    assert stored(page) == NOTHING


def test_files_from_disk(page: Page, published: Publish) -> None:
    folder = published("xlm-roberta-external")
    give_files(page, folder_files(folder))
    body = "return t.once({ model: globalThis.given, sessions: 1 }, ...arg)"
    answer = run(page, body, [QUERY, DOCUMENTS])
    assert answer.get("error") is None
    assert answer["value"]["logits"] == pytest.approx(native(folder), abs=1e-3)
    assert answer["value"]["saved"] is False


def test_a_file_input(page: Page, published: Publish) -> None:
    """Files side by side, as a file input gives them."""
    folder = published("deberta-v2")
    run(page, "document.body.innerHTML = '<input type=file multiple>'")
    names = ["config.json", "tokenizer.json", "onnx/model.onnx"]
    page.set_input_files("input", [folder / name for name in names])
    body = "return t.once({ model: document.querySelector('input').files }, ...arg)"
    answer = run(page, body, [QUERY, DOCUMENTS])
    assert answer["value"]["logits"] == pytest.approx(native(folder), abs=1e-3)


def test_a_folder_input_with_more_in_it(page: Page, published: Publish, tmp_path: Path) -> None:
    """A whole repository: the files of the folder itself win over those of its sub-folders."""
    folder = make_model(tmp_path / "repository", "modernbert")
    for extra in ("1_Pooling/config.json", "zz/tokenizer.json", "README.md"):
        (folder / extra).parent.mkdir(exist_ok=True)
        (folder / extra).write_text("{}", encoding="utf-8")
    run(page, "document.body.innerHTML = '<input type=file webkitdirectory>'")
    page.set_input_files("input", folder)
    body = "return t.once({ model: document.querySelector('input').files }, ...arg)"
    answer = run(page, body, [QUERY, DOCUMENTS])
    assert answer["value"]["logits"] == pytest.approx(native(folder), abs=1e-3)


@pytest.mark.parametrize("name", ["mine", "my own model (v2) — 东京", "owner/name"])
def test_add_export_import(open_page: OpenPage, hub: Hub, published: Publish, name: str) -> None:
    folder = published("xlm-roberta-external")
    page = open_page()
    give_files(page, folder_files(folder))
    added = run(
        page,
        """const { models } = await t.lib();
        await models.add(arg, globalThis.given);
        const blob = await models.export(arg);
        await models.remove(arg);
        return t.outcome(async () => ({
          bytes: blob.size, name: await models.import(new File([blob], 'x')),
        }));""",
        name,
    )
    assert added.get("error") is None and added["value"]["name"] == name
    total = sum(len(content) for content in folder_files(folder).values())
    assert info(page, name)["storedBytes"] == total
    answer = use_once(page, name)
    assert answer["value"]["logits"] == pytest.approx(native(folder), abs=1e-3)
    assert answer["value"]["saved"] is True and hub.log == []


def test_add_again_replaces(page: Page, published: Publish) -> None:
    for kind in ("bert-q8", "bert"):
        give_files(page, folder_files(published(kind)))
        run(page, "await (await t.lib()).models.add('mine', globalThis.given)")
    assert list(info(page, "mine")["dtypes"]) == ["fp32"]
    assert len(stored(page)["files"]) == 3, "nothing of the old one stays"


@pytest.mark.parametrize(
    "damage", ["cut", "grown", "no export", "header", "negative", "huge", "nested", "endless"]
)
def test_a_damaged_export_is_refused(page: Page, published: Publish, damage: str) -> None:
    give_files(page, folder_files(published("bert")))
    error = run(
        page,
        """const { models } = await t.lib();
        await models.add('mine', globalThis.given);
        const bytes = new Uint8Array(await (await models.export('mine')).arrayBuffer());
        await models.remove();
        const text = new TextDecoder().decode(bytes.slice(0, 400));
        const damaged = {
          cut: () => [bytes.slice(0, -1)], grown: () => [bytes, 'x'], 'no export': () => ['hello'],
          header: () => [text.slice(0, 40)],
          negative: () => [
            text.slice(0, 18),
            '{"name":"a","files":[{"path":"a","bytes":-5},{"path":"b","bytes":5}]}\\n',
          ],
          huge: () => [
            text.slice(0, 18),
            `{"name":"a","files":[{"path":"a","bytes":${2 ** 53 - 1}},{"path":"b","bytes":1}]}\\n`,
          ],
          nested: () => [text.slice(0, 18), '['.repeat(1_000_000), '\\n'],
          endless: () => [text.slice(0, 18), 'x'.repeat(50_000_000)],
        }[arg]();
        return (await t.outcome(() => models.import(new File(damaged, 'x')))).error;""",
        damage,
    )
    assert error["code"] == "model_integrity"
    assert stored(page)["files"] == []


def test_a_url_folder(page: Page, published: Publish, site_folder: Path) -> None:
    """Loads, is listed with its size, works again without its host, exports, can be removed."""
    folder = make_model(site_folder / "folders" / "tiny", "roberta")
    answer = use_once(page, "./folders/tiny")
    assert answer.get("error") is None
    assert answer["value"]["logits"] == pytest.approx(native(folder), abs=1e-3)
    total = sum(len(content) for content in folder_files(folder).values())
    assert info(page, "./folders/tiny")["storedBytes"] == total
    page.context.route("**/folders/**", lambda route: route.abort())
    assert use_once(page, "./folders/tiny")["value"]["logits"] == answer["value"]["logits"]
    size = run(page, "return (await (await t.lib()).models.export('./folders/tiny')).size")
    assert size > total
    models(page, "remove", "./folders/tiny")
    assert stored(page)["files"] == [] and stored(page)["chunks"] == []


def test_weights_beside_and_inside(page: Page, hub: Hub, tmp_path: Path) -> None:
    """Some exporters keep only the largest tensors outside."""
    folder = make_model(tmp_path / "mixed", ARCHITECTURES["bert"])
    path = folder / MODEL_FILES["fp32"]
    write_onnx(path, onnx.load(path), external=True, threshold=12_000)
    assert (
        path.stat().st_size > 20_000 and path.with_name("model.onnx_data").stat().st_size > 20_000
    )
    hub.add("test/mixed", folder)
    answer = use_once(page, "test/mixed")
    assert answer.get("error") is None
    assert answer["value"]["logits"] == pytest.approx(native(folder), abs=1e-3)


def test_progress_of_weights_beside_the_graph(page: Page, hub: Hub, published: Publish) -> None:
    """They are most of the download: in the total from the start, and told as they come."""
    published("xlm-roberta-external")
    model = "test/xlm-roberta-external"
    told = prefetch(page, model)["progress"]
    weights = [event for event in told if event["file"] == "onnx/model.onnx_data"]
    assert {event["phase"] for event in weights} >= {"download"}
    size = hub.repositories[model]["onnx/model.onnx_data"].size
    assert all(event["totalBytes"] >= size for event in told if event["phase"] == "download")
