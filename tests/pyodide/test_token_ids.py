"""The wasm tokenizer gives the ids that Hugging Face tokenizers give, text by text."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.collection import read_collection
from tests.nasty_texts import NASTY
from tests.pyodide.conftest import PyodideHarness
from webrerank.adapters.native import NativeTokenizer
from webrerank.model import read_model
from webrerank.request import well_formed

LOAD = """
import js
from webrerank.adapters.pyodide_tokenizer import PyodideTokenizer
from webrerank.model import read_model

files = [await js.harness.modelText(name) for name in given]
spec = read_model(*files)
tokenizer = PyodideTokenizer(await js.harness.loadTokenizer(spec.tokenizer_json))
None
"""

ENCODE = """
import json
json.dumps([ids.tolist() for ids in tokenizer.encode_batch(given)])
"""

FILES = ["config.json", "tokenizer.json", "tokenizer_config.json"]


@pytest.fixture(scope="module")
def browser_tokenizer(pyodide: PyodideHarness) -> PyodideHarness:
    pyodide.run(LOAD, FILES)
    return pyodide


@pytest.fixture(scope="module")
def native_tokenizer(model_folder: Path) -> NativeTokenizer:
    texts = [(model_folder / name).read_text(encoding="utf-8") for name in FILES]
    return NativeTokenizer(read_model(*texts).tokenizer_json)


def compare(browser: PyodideHarness, native: NativeTokenizer, texts: list[str]) -> None:
    given: list[Any] = json.loads(browser.run(ENCODE, texts))
    wanted = [ids.tolist() for ids in native.encode_batch(texts)]
    assert len(given) == len(wanted)
    for text, left, right in zip(texts, given, wanted, strict=True):
        assert left == right, text[:80]


def test_every_text_of_noveleval(
    browser_tokenizer: PyodideHarness, native_tokenizer: NativeTokenizer, ir: Path
) -> None:
    noveleval = read_collection(ir / "noveleval")
    texts = [*noveleval.documents.values(), *noveleval.queries.values()]
    assert len(texts) > 400
    compare(browser_tokenizer, native_tokenizer, texts)


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
def test_nasty_texts(
    browser_tokenizer: PyodideHarness, native_tokenizer: NativeTokenizer, text: str
) -> None:
    compare(browser_tokenizer, native_tokenizer, [well_formed(text), "neighbour"])
