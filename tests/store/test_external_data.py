"""Weights beside the graph, under all names that exporters give them; ONNX files of other names."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from playwright.sync_api import Page

from tests.e2e.support import native_logits, run
from tests.hub.contents import CDN_HOST
from tests.hub.server import Hub
from tests.hub.tiny_models import MODEL_FILES, make_model
from tests.store.support import DOCUMENTS, QUERY, use_once

LOCATIONS = [
    "./model.onnx_data",
    "weights/model.bin",
    "./a b/weights [1] (é) #1 100%.data",
]


def with_location(folder: Path, location: str) -> Path:
    """A model whose weights lie at a location."""
    make_model(folder, "xlm-roberta-external")
    path = folder / MODEL_FILES["fp32"]
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    weights = path.with_name("model.onnx_data")
    path.write_bytes(model.SerializeToString())
    target = path.parent / location
    target.parent.mkdir(parents=True, exist_ok=True)
    weights.rename(target)
    return folder


@pytest.mark.parametrize("place", ["hub", "folder", "disk"])
@pytest.mark.parametrize("location", LOCATIONS)
def test_weights_beside_the_graph(
    page: Page, hub: Hub, tmp_path: Path, place: str, location: str
) -> None:
    folder = with_location(tmp_path / "model", location)
    hub.add("test/located", folder)
    if place == "disk":
        run(page, "document.body.innerHTML = '<input type=file webkitdirectory>'")
        page.set_input_files("input", folder)
        body = """const { models } = await t.lib();
          await models.add('located', document.querySelector('input').files);"""
        run(page, body)
    hub.plain = place == "folder"
    at = {"hub": "test/located", "folder": f"https://{CDN_HOST}/plain/test/located/"}
    answer = use_once(page, at.get(place, "located"))
    assert answer.get("error") is None, answer
    [native] = native_logits(folder, [(QUERY, DOCUMENTS)])
    assert answer["value"]["logits"] == pytest.approx(native, abs=1e-3)
    assert answer["value"]["saved"] is True
    hub.down = True
    assert use_once(page, at.get(place, "located"))["value"]["logits"] == answer["value"]["logits"]


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("../model.onnx_data", "'..'"),
        ("a/../../model.onnx_data", "'..'"),
        ("..\\model.onnx_data", "'..'"),
        ("/etc/passwd", "absolute"),
        ("\\\\host\\share", "absolute"),
        ("//elsewhere.test/model.data", "absolute"),
        ("https://elsewhere.test/model.data", "an address"),
        ("C:\\model.data", "a drive"),
        ("./", "no name of a file"),
        ("a\nb", "no name of a file"),
    ],
)
def test_weights_elsewhere_are_refused(
    page: Page, hub: Hub, tmp_path: Path, location: str, reason: str
) -> None:
    folder = make_model(tmp_path / "model", "xlm-roberta-external")
    path = folder / MODEL_FILES["fp32"]
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    path.write_bytes(model.SerializeToString())
    hub.add("test/elsewhere", folder)
    error = use_once(page, "test/elsewhere")["error"]
    assert error["code"] == "unsupported_model" and reason in error["message"]


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("onnx/encoder_int8.onnx", "q8"), ("my-model.fp16.onnx", "fp16"), ("reranker.onnx", "fp32")],
)
def test_other_names_of_the_model_file(
    page: Page, hub: Hub, tmp_path: Path, name: str, dtype: str
) -> None:
    kinds = {"q8": "bert-q8", "fp16": "bert-fp16", "fp32": "bert"}
    folder = make_model(tmp_path / "model", kinds[dtype])
    [path] = folder.rglob("*.onnx")
    path.rename(folder / name)
    hub.add("test/named", folder)
    answer = use_once(page, "test/named")
    assert answer.get("error") is None and answer["value"]["dtype"] == dtype
    [native] = native_logits(folder, [(QUERY, DOCUMENTS)])
    assert answer["value"]["logits"] == pytest.approx(native, abs=0.05)
