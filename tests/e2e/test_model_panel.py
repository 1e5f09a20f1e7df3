"""The app's model panel: choosing, keeping, moving and removing models."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.support import MODEL, MODEL_FOLDER, Watch, link_model

LOADED = 60_000
COPY = f"{MODEL}-2"
HUB = r"huggingface\.co"


@pytest.fixture
def app(open_page: OpenPage) -> Page:
    """The app with the bundled model loaded and the panel open."""
    page = open_page("")
    expect_model(page, MODEL, "on this device")
    open_panel(page)
    return page


def open_panel(page: Page) -> None:
    page.click("#model-panel summary")
    expect(page.locator("#model-storage")).to_contain_text("Models take up")


def expect_model(page: Page, name: str, state: str) -> None:
    expect(page.locator("#model-name")).to_have_text(name, timeout=LOADED)
    expect(page.locator("#model-state")).to_have_text(state, timeout=LOADED)


def expect_ranks(page: Page) -> None:
    page.click("#rerank")
    expect(page.locator("#status")).to_contain_text("Ranked 10 documents", timeout=LOADED)
    expect(page.locator("#results .result-text").first).to_contain_text("resign")


def use_address(page: Page, address: str) -> None:
    page.fill("#model-address", address)
    page.press("#model-address", "Enter")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def remembered(page: Page) -> str | None:
    value: str | None = page.evaluate("() => localStorage.getItem('webrerank:model')")
    return value


def test_closed_at_first_and_tells_the_model(open_page: OpenPage) -> None:
    page = open_page("")
    expect(page.locator("#model-panel")).not_to_have_attribute("open", "")
    expect(page.locator("#model-panel summary")).to_contain_text(f"Model: {MODEL}")


def test_the_list_says_what_a_choice_means(app: Page) -> None:
    about = app.locator("#model-about")
    expect(about).to_contain_text("On this device, 35 MB · English · Apache-2.0 licence")
    expect(app.locator("#model-use")).to_have_attribute("aria-disabled", "true")
    app.select_option("#model-list", "Xenova/bge-reranker-base")
    expect(about).to_contain_text("279 MB download")
    expect(about).to_contain_text("English, Chinese · MIT licence")
    expect(app.locator("#model-use")).to_have_attribute("aria-disabled", "false")
    expect_model(app, MODEL, "on this device")  # to look is not to choose


def test_a_hub_out_of_reach_leaves_the_model_before(app: Page, watch: Watch) -> None:
    watch.allow(HUB, r"ERR_\w+")
    app.context.route(re.compile(HUB), lambda route: route.abort())
    use_address(app, "someone/some-model@v1.5")
    error = app.locator("#error")
    expect(error).to_contain_text("Not loaded: someone/some-model@v1.5", timeout=LOADED)
    expect(error).to_contain_text("https://huggingface.co cannot be reached")
    expect(error).to_contain_text(f"In use instead: {MODEL}.")
    expect(app.locator("#retry")).to_be_in_viewport()
    expect_model(app, MODEL, "on this device")
    assert remembered(app) == MODEL
    expect_ranks(app)


def test_an_address_that_is_none(app: Page) -> None:
    for text in ("", "a b", "javascript:alert(1)", "<b>x</b>"):
        use_address(app, text)
        expect(app.locator("#model-other-notice")).to_contain_text("owner/name")
        expect(app.locator("#model-address")).to_have_attribute("aria-invalid", "true")
    expect_model(app, MODEL, "on this device")


def test_a_choice_is_remembered(app: Page, site_folder: Path, watch: Watch) -> None:
    watch.allow("ERR_ABORTED")  # the reload cuts off what is under way
    weights = (MODEL_FOLDER / "onnx" / "model_quantized.onnx").read_bytes()
    link_model(site_folder / "models" / "other", "onnx/model_quantized.onnx", weights)
    use_address(app, "./models/other")
    expect_model(app, "./models/other", "on this device")
    expect(app.locator("#model-list")).to_have_value("./models/other")
    app.reload()
    expect_model(app, "./models/other", "on this device")
    expect_ranks(app)


def test_a_remembered_model_that_is_gone(open_page: OpenPage) -> None:
    page = open_page("blank.html")
    page.evaluate("() => localStorage.setItem('webrerank:model', 'gone')")
    page.goto(page.url.replace("blank.html", ""))
    expect(page.locator("#error")).to_contain_text("Not loaded: gone", timeout=LOADED)
    expect(page.locator("#error")).to_contain_text(f"In use instead: {MODEL}.")
    expect_model(page, MODEL, "on this device")
    assert remembered(page) is None
    expect_ranks(page)


def test_cancelling_a_change_leaves_the_model_before(app: Page, watch: Watch) -> None:
    watch.allow(HUB, "request failed")
    app.context.route(re.compile(HUB), lambda route: None)  # it never answers
    use_address(app, "someone/some-model")
    expect_model(app, "someone/some-model", "loading")
    app.keyboard.press("Escape")
    expect(app.locator("#status")).to_have_text(f"Cancelled.Still in use: {MODEL}.")
    expect(app.locator("#error")).to_be_empty()
    expect_model(app, MODEL, "on this device")
    expect_ranks(app)


def test_another_choice_replaces_the_one_under_way(app: Page, watch: Watch) -> None:
    watch.allow(HUB, "request failed")
    app.context.route(re.compile(HUB), lambda route: None)
    use_address(app, "someone/some-model")
    expect_model(app, "someone/some-model", "loading")
    app.set_input_files("#model-folder-input", MODEL_FOLDER)
    expect_model(app, MODEL, "from your files, not kept")
    expect(app.locator("#error")).to_be_empty()
    expect_ranks(app)


def test_files_from_disk_are_kept_exported_removed_and_imported(app: Page, tmp_path: Path) -> None:
    app.set_input_files("#model-files-input", [*MODEL_FOLDER.rglob("*.*")])
    expect_model(app, "files from disk", "from your files, not kept")
    expect(app.locator("#offline")).to_contain_text("not kept")
    expect_ranks(app)

    app.fill("#model-keep-name", MODEL)
    button(app, "Keep on this device").click()
    expect(app.locator("#model-other-notice")).to_contain_text("Choose another name")
    app.fill("#model-keep-name", COPY)
    button(app, "Keep on this device").click()
    expect_model(app, COPY, "on this device")
    expect(app.locator("#model-keep")).to_be_hidden()
    assert remembered(app) == COPY

    with app.expect_download(timeout=LOADED) as download:
        button(app, f"Export {COPY} to a file").click()
    exported = tmp_path / download.value.suggested_filename
    download.value.save_as(exported)
    assert exported.name == f"{COPY}.webrerank"

    button(app, f"Remove {COPY}").click()
    expect(button(app, "Keep")).to_be_focused()
    app.keyboard.press("Escape")
    expect(button(app, f"Remove {COPY}")).to_be_focused()
    button(app, f"Remove {COPY}").click()
    button(app, "Remove").click()
    expect(app.locator("#model-stored-notice")).to_contain_text(f"{COPY} was removed.")
    expect_model(app, COPY, "removed from this device, in use until you leave")
    expect(app.locator("#offline")).to_have_text("The model is no longer kept on this device.")
    assert remembered(app) is None

    app.set_input_files("#model-import-input", exported)
    expect(app.locator("#model-stored-notice")).to_contain_text(f"Imported {COPY}.")
    expect_model(app, COPY, "on this device")


def test_remove_all_asks_first(app: Page) -> None:
    button(app, "Remove all models").click()
    button(app, "Keep").click()
    expect(app.locator(".models-item")).to_have_count(1)
    button(app, "Remove all models").click()
    button(app, "Remove all").click()
    expect(app.locator("#model-stored")).to_have_text("No model is kept on this device.")
    expect(app.locator("#model-storage")).to_contain_text("Models take up 0 MB.")
    expect(app.locator("#model-stored-title")).to_be_focused()
    expect_ranks(app)


def test_files_that_are_no_model(app: Page) -> None:
    app.set_input_files("#model-files-input", MODEL_FOLDER / "config.json")
    expect(app.locator("#error")).to_contain_text("tokenizer.json is missing", timeout=LOADED)
    app.set_input_files("#model-import-input", MODEL_FOLDER / "config.json")
    expect(app.locator("#model-stored-notice")).to_contain_text("no model exported by webrerank")
    expect_model(app, MODEL, "on this device")


DROP = """(selector) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File(['{}'], 'config.json'));
  const init = { dataTransfer, bubbles: true, cancelable: true };
  const target = document.querySelector(selector);
  target.dispatchEvent(new DragEvent('dragover', init));
  return !target.dispatchEvent(new DragEvent('drop', init));
}"""


def test_files_dropped_onto_the_panel_are_opened(app: Page) -> None:
    assert app.evaluate(DROP, "#model-panel"), "the browser would have left the page"
    expect(app.locator("#error")).to_contain_text("Not loaded: files from disk", timeout=LOADED)


def test_files_dropped_beside_the_panel_do_nothing(app: Page) -> None:
    assert app.evaluate(DROP, "h1"), "the browser would have left the page"
    expect(app.locator("#status")).to_have_text("Ready.")


def test_no_room(open_page: OpenPage) -> None:
    page = open_page("blank.html")
    origin = page.evaluate("() => location.origin")
    session = page.context.new_cdp_session(page)
    quota = {"origin": origin, "quotaSize": 20_000_000}
    session.send("Storage.overrideQuotaForOrigin", quota)
    page.goto(f"{origin}/")
    expect_model(page, MODEL, "not saved: this device has no room")
    expect(page.locator("#offline")).to_contain_text("Not saved: this device has no room")
    expect_ranks(page)
    page.wait_for_timeout(1000)
    expect(page.locator("#offline")).not_to_contain_text("Ready to work offline")


def test_by_keyboard(app: Page) -> None:
    app.focus("#model-panel summary")
    reached = set()
    for _ in range(20):
        app.keyboard.press("Tab")
        reached.add(app.evaluate("() => document.activeElement.id"))
    wanted = {"list", "use", "address", "files", "folder", "import", "persist"}
    assert {f"model-{name}" for name in wanted} <= reached


@pytest.mark.parametrize("width", [360, 1280])
def test_fits(app: Page, width: int) -> None:
    app.set_viewport_size({"width": width, "height": 740})
    app.set_input_files("#model-files-input", [*MODEL_FOLDER.rglob("*.*")])
    expect_model(app, "files from disk", "from your files, not kept")
    assert app.evaluate(
        "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
