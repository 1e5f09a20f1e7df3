"""A model as other tools export it runs in the browser, or is refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.support import native_logits, run
from tests.hub import tokenizer_kinds as kinds
from tests.hub.graph_forms import FORMS, REFUSED, Form, plain, without_mask
from tests.hub.server import Hub
from tests.hub.tiny_models import write_texts
from tests.hub.tokenizer_kinds import TEXT
from tests.store.conftest import prepare
from tools.serve import Server

QUERY = "How many people live in Berlin?"
DOCUMENTS = [*TEXT, "a"]
CONFIG = {"model_type": "test", "max_position_embeddings": 512}
#: Made once: no two trainings give the same.
TOKENIZER = kinds.word_piece()
VOCABULARY = kinds.vocabulary_size(TOKENIZER)

FURTHER = {"no mask": lambda model: without_mask(VOCABULARY)}


@pytest.fixture(scope="module")
def shared_page(browser: Browser, site: Server) -> Iterator[Page]:
    context = browser.new_context()
    errors: list[str] = []
    prepare(context, errors)
    page = context.new_page()
    page.goto(site.url + "blank.html")
    yield page
    context.close()
    assert not errors


def publish(hub: Hub, folder: Path, name: str, form: Form) -> str:
    write_texts(folder, CONFIG, TOKENIZER)
    (folder / "onnx").mkdir(exist_ok=True)
    onnx.save(form(plain(VOCABULARY)), str(folder / "onnx" / "model.onnx"))
    model = f"forms/{name.replace(' ', '-')}"
    hub.add(model, folder)
    return model


@pytest.mark.parametrize("name", [*FORMS, *FURTHER])
def test_each_form_gives_the_plain_models_logits(
    shared_page: Page, hub: Hub, tmp_path: Path, name: str
) -> None:
    publish(hub, tmp_path / "plain", "plain", lambda model: model)
    [wanted] = native_logits(tmp_path / "plain", [(QUERY, DOCUMENTS)])
    model = publish(hub, tmp_path / "form", name, {**FORMS, **FURTHER}[name])
    given = [{"model": model, "sessions": 1}, QUERY, DOCUMENTS]
    answer = run(shared_page, "return t.once(...arg)", given)
    assert answer.get("error") is None
    assert answer["value"]["logits"] == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_fed_is_refused_with_the_reason(
    shared_page: Page, hub: Hub, tmp_path: Path, name: str
) -> None:
    form, words = REFUSED[name]
    model = publish(hub, tmp_path, f"refused-{name}", form)
    given = [{"model": model, "sessions": 1}, QUERY, DOCUMENTS]
    error = run(shared_page, "return t.once(...arg)", given)["error"]
    assert (error["code"], error["retryable"]) == ("unsupported_model", False)
    assert all(word in error["message"] for word in words), error["message"]
