"""Names of models, of files and of documents are shown as they are, and are nothing but text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.models import POSITIONS, tiny_model
from tests.e2e.support import Watch, link_model, run

LOADED = 60_000

#: Harmless as text, not so as markup, address, template or direction.
NAMES = [
    "<img src=x onerror=\"document.title='pwned'\">",
    "</script><script>document.title='pwned'</script>",
    "javascript:document.title='pwned'//",
    "{{constructor.constructor('document.title=1')()}} ${7*7} <%= 7*7 %>",
    "\u202egpj.exe\u202c \u2066isolated",
    "__proto__",
    "../../index.html",
]

#: What a page made of a name: must all be as before it.
STATE = """() => ({
  title: document.title,
  address: location.href,
  active: document.querySelectorAll('main :is(img, script, iframe, object, embed, a)').length,
  handlers: [...document.querySelectorAll('*')].filter((element) =>
    element.getAttributeNames().some((name) => name.startsWith('on'))).length,
  polluted: Object.keys(Object.prototype).length,
})"""


@pytest.fixture
def app(open_page: OpenPage) -> Page:
    page = open_page("")
    expect(page.locator("#status")).to_have_text("Ready.", timeout=LOADED)
    page.click("#model-panel summary")
    return page


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The tiny model; its files that no reranker reads have names of all kinds."""
    folder = tmp_path_factory.mktemp("named")
    config = {"max_position_embeddings": POSITIONS, "_name_or_path": NAMES[0], "title": NAMES[1]}
    link_model(folder, "onnx/model_quantized.onnx", tiny_model(), **config)
    for name in NAMES[:1] + NAMES[3:5]:
        (folder / name.replace("/", "_")).write_text("{}", encoding="utf-8")
    return [path for path in folder.rglob("*") if path.is_file()]


def test_names_of_models_and_files(open_page: OpenPage, files: list[Path], watch: Watch) -> None:
    """From a stranger's hands into the store; then in the list, in use, remembered."""
    watch.allow("ERR_ABORTED")  # the reload cuts off what is under way
    page = open_page("blank.html")
    run(page, "document.body.innerHTML = '<input type=file multiple>'")
    page.set_input_files("input", files)
    body = """
        const { models } = await t.lib();
        for (const name of arg) await models.add(name, document.querySelector('input').files);"""
    run(page, body, NAMES)
    page.goto(page.url.replace("blank.html", ""))
    expect(page.locator("#status")).to_have_text("Ready.", timeout=LOADED)
    before = page.evaluate(STATE)
    page.click("#model-panel summary")
    for name in NAMES:
        expect(page.locator("#model-stored")).to_contain_text(name)
        page.select_option("#model-list", name)
        expect(page.locator("#model-about")).not_to_be_empty()
    page.select_option("#model-list", NAMES[0])
    page.click("#model-use")
    expect(page.locator("#model-name")).to_have_text(NAMES[0], timeout=LOADED)
    expect(page.locator("#model-state")).to_have_text("on this device", timeout=LOADED)
    assert page.evaluate(STATE) == before
    page.reload()
    expect(page.locator("#model-name")).to_have_text(NAMES[0], timeout=LOADED)
    expect(page.locator("#model-state")).to_have_text("on this device", timeout=LOADED)
    page.click("#model-panel summary")
    page.get_by_role("button", name=f"Remove {NAMES[0]}", exact=True).click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("#model-stored-notice")).to_contain_text(f"{NAMES[0]} was removed.")
    assert page.evaluate(STATE) == before


def test_the_name_of_an_import_and_an_address(app: Page, tmp_path: Path) -> None:
    before = app.evaluate(STATE)
    for number, name in enumerate(NAMES):
        path = tmp_path / f"{number}{name.replace('/', '_')}.webrerank"
        header = json.dumps({"name": name, "files": [{"path": name, "bytes": 0}]})
        path.write_text(f"webrerank-model-1\n{header}\n", encoding="utf-8")
        app.set_input_files("#model-import-input", path)
        expect(app.locator("#model-stored-notice")).not_to_be_empty()
        app.fill("#model-address", name)
        app.press("#model-address", "Enter")
        expect(app.locator("#model-address")).to_have_value(name)
        assert app.evaluate(STATE) == before, name


def test_a_remembered_name_with_markup_in_it(open_page: OpenPage) -> None:
    page = open_page("blank.html")
    page.evaluate("(name) => localStorage.setItem('webrerank:model', name)", NAMES[0])
    page.goto(page.url.replace("blank.html", ""))
    expect(page.locator("#error")).to_contain_text(f"Not loaded: {NAMES[0]}", timeout=LOADED)
    assert page.evaluate(STATE)["title"].startswith("webrerank")
    assert page.locator("#error img").count() == 0
