"""Any cross-encoder: the browser gives the logits that native onnxruntime gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.models import dequantize
from tests.e2e.support import MODEL_FOLDER, native_logits, run
from tests.hub.server import Hub
from tests.hub.tiny_models import ARCHITECTURES, MODEL_FILES, make_six_layers
from tests.hub.tokenizer_kinds import TEXT
from tests.store.conftest import Publish, prepare
from tools.serve import Server

QUERY = "How many people live in Berlin, and who counts them?"
#: Longer than the XLM-R model's 64 tokens, and scripts its tokenizer has never seen.
DOCUMENTS = [*TEXT, " ".join(TEXT), "ᚠᛇᚻ ünï\u0301cødé\t\n  spaces", "a"]

#: fp16 has steps of 2e-3 at a logit of 3; an int8 activation at the edge between two steps may
#: fall on either side of it.
TOLERANCES = {"fp32": 1e-3, "fp16": 1e-2, "q8": 0.1}


@pytest.fixture(scope="module")
def shared_page(browser: Browser, site: Server) -> Iterator[Page]:
    """One page for all models: the browser compiles the runtime only once."""
    context = browser.new_context()
    errors: list[str] = []
    prepare(context, errors)
    page = context.new_page()
    page.goto(site.url + "blank.html")
    yield page
    context.close()
    assert not errors


def check_logits(page: Page, folder: Path, model: str, tolerance: float) -> None:
    """Compare with native onnxruntime on the same folder."""
    [expected] = native_logits(folder, [(QUERY, DOCUMENTS)])
    assert len({round(logit, 3) for logit in expected}) > 4, "the model tells nothing apart"
    answer = run(
        page,
        "return t.once({ model: arg[0], sessions: 1 }, arg[1], arg[2])",
        [model, QUERY, DOCUMENTS],
    )
    assert answer.get("error") is None
    assert answer["value"]["logits"] == pytest.approx(expected, abs=tolerance)
    assert answer["value"]["saved"] is True


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_logits_equal_native(shared_page: Page, hub: Hub, published: Publish, kind: str) -> None:
    tolerance = TOLERANCES[ARCHITECTURES[kind].dtype]
    check_logits(shared_page, published(kind), f"test/{kind}", tolerance)


def test_six_layers_equal_native(shared_page: Page, hub: Hub, tmp_path: Path) -> None:
    """The L-6 shape in fp32: its int8 kernels round otherwise on each CPU."""
    folder = make_six_layers(tmp_path, MODEL_FOLDER)
    int8 = folder / MODEL_FILES["q8"]
    (folder / MODEL_FILES["fp32"]).write_bytes(dequantize(int8))
    int8.unlink()
    hub.add("test/six-fp32", folder)
    check_logits(shared_page, folder, "test/six-fp32", 1e-3)


def test_six_layers_in_int8_come_close(shared_page: Page, hub: Hub, published: Publish) -> None:
    check_logits(shared_page, published("six-layers"), "test/six-layers", 0.1)
