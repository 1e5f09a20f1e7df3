"""What cannot be run is refused with what is missing, and the page goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.support import run, wait_for_workers_to_end
from tests.hub import tokenizer_kinds as kinds
from tests.hub.graphs import Shape
from tests.hub.server import Hub
from tests.hub.tiny_models import MODEL_FILES, Architecture, make_model, write_texts
from tests.store.conftest import Publish, prepare
from tests.store.support import Answer, use_once
from tools.serve import Server

WEIGHTS = MODEL_FILES["fp32"]


@pytest.fixture(scope="module")
def shared_page(browser: Browser, site: Server) -> Iterator[Page]:
    """One page for all: after each refusal it must still be of use."""
    context = browser.new_context()
    errors: list[str] = []
    prepare(context, errors)
    page = context.new_page()
    page.goto(site.url + "blank.html")
    yield page
    context.close()
    assert not errors


def _shape(**values: Any) -> Callable[[Path], object]:
    return lambda folder: make_model(folder, Architecture(kinds.word_piece, Shape(0, **values)))


def _tokenizer(values: Any) -> Callable[[Path], object]:
    return lambda folder: write_texts(folder, {"model_type": "bert"}, values)


def _weights(content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / WEIGHTS).write_bytes(content)


def _post_processor(value: Any) -> Callable[[Path], object]:
    return _tokenizer({**kinds.word_piece(), "post_processor": value})


def _half(folder: Path) -> None:
    path = folder / WEIGHTS
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _three_labels(folder: Path) -> None:
    labels = {"id2label": {"0": "entailment", "1": "neutral", "2": "contradiction"}}
    make_model(folder, Architecture(kinds.word_piece, Shape(0, labels=3), config=labels))


def _without(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


#: What is done to a good folder, and a word that the refusal must have.
REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "three labels": (_three_labels, "3 labels"),
    "three logits, unsaid": (_shape(labels=3), "3"),
    "an embedding model": (_shape(pool="none"), "(pairs, 1)"),
    "an unknown input": (
        _shape(inputs=("input_ids", "attention_mask", "pixel_values")),
        "pixel_values",
    ),
    "no tokenizer.json": (_without("tokenizer.json"), "tokenizer.json"),
    "no config.json": (_without("config.json"), "config.json"),
    "no weights": (_without(WEIGHTS), "ONNX"),
    "an unknown post-processor": (_post_processor({"type": "Nonsense"}), "Nonsense"),
    "a post-processor without pair": (
        _post_processor({"type": "TemplateProcessing"}),
        "tokenizer.json",
    ),
    "garbage for weights": (_weights(b"garbage" * 1000), "ONNX"),
    "half the weights": (_half, "ONNX"),
    "empty weights": (_weights(b"\0"), "ONNX"),
    "a list for a tokenizer": (_tokenizer([1, 2]), "tokenizer.json"),
    "an empty tokenizer": (_tokenizer({}), "tokenizer.json"),
    "an unknown tokenizer": (_tokenizer({"model": {"type": "Magic", "vocab": {}}}), "tokenizer"),
    "an absurd tokenizer": (
        _tokenizer({**kinds.word_piece(), "model": {"type": "Unigram", "vocab": "all"}}),
        "tokenizer",
    ),
    "a tokenizer nested without end": (
        lambda folder: (folder / "tokenizer.json").write_text("[" * 20_000, "utf-8"),
        "nested",
    ),
    "no text at all": (
        lambda folder: (folder / "tokenizer.json").write_bytes(b"\xff\xfe\x00garbage"),
        "tokenizer.json",
    ),
    "a config that is no object": (
        lambda folder: (folder / "config.json").write_text(json.dumps("hello"), "utf-8"),
        "config.json",
    ),
}


def refuse(page: Page, hub: Hub, folder: Path, name: str) -> Answer:
    hub.add(name, folder)
    error: Answer = use_once(page, name)["error"]
    assert error["typed"] and error["code"] == "unsupported_model", error
    assert not error["retryable"]
    wait_for_workers_to_end(page)
    return error


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(shared_page: Page, hub: Hub, tmp_path: Path, kind: str) -> None:
    spoil, word = REFUSED[kind]
    folder = make_model(tmp_path / "model", "bert")
    spoil(folder)
    name = f"refused/{kind.replace(' ', '-').replace(',', '')}"
    assert word in refuse(shared_page, hub, folder, name)["message"]


def test_the_page_is_alive_after_it(shared_page: Page, hub: Hub, published: Publish) -> None:
    published("bert")
    answer = use_once(shared_page, "test/bert")
    assert len(answer["value"]["logits"]) == 3


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("config.json", "tokenizer.json is missing"),
        ("model.onnx", "config.json and tokenizer.json are missing"),
    ],
)
def test_files_that_are_no_model(shared_page: Page, given: str, told: str) -> None:
    error = run(
        shared_page,
        """const { createReranker } = await t.lib();
        const model = [new File(['{}'], arg)];
        return (await t.outcome(() => createReranker({ model }))).error;""",
        given,
    )
    assert error["code"] == "invalid_request" and told in error["message"]
