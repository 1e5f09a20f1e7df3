"""The app's model panel: what it refuses at once, and what it says and shows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.support import MODEL, Watch
from tests.e2e.test_model_panel import LOADED, button, expect_model, open_panel, use_address


@pytest.fixture
def app(open_page: OpenPage) -> Page:
    """The app with the bundled model loaded and the panel open."""
    page = open_page("")
    expect_model(page, MODEL, "on this device")
    open_panel(page)
    return page


@pytest.mark.parametrize("address", ["http://models.example/a", "//models.example/a", "https://"])
def test_an_address_that_the_page_may_not_ask(app: Page, address: str) -> None:
    use_address(app, address)
    notice = app.locator("#model-other-notice")
    expect(notice).to_contain_text("an address that starts with https://")
    expect(app.locator("#model-address")).to_have_attribute("aria-invalid", "true")
    expect(app.locator("#error")).to_be_empty()
    expect_model(app, MODEL, "on this device")


def test_its_own_origin_needs_no_https(app: Page) -> None:
    address = f"{app.url}models/{MODEL}/"
    use_address(app, address)
    expect_model(app, address, "on this device")


def test_a_refused_address_takes_the_old_failure_away(app: Page, watch: Watch) -> None:
    hub = r"huggingface\.co"
    watch.allow(hub, r"ERR_\w+")
    app.context.route(re.compile(hub), lambda route: route.abort())
    use_address(app, "someone/some-model")
    expect(app.locator("#error")).to_contain_text("Not loaded", timeout=LOADED)
    use_address(app, "http://models.example/a")
    expect(app.locator("#error")).to_be_empty()
    expect(app.locator("#status")).to_have_text("Ready.")
    expect(app.locator("#model-other-notice")).to_contain_text("https://")
    app.click("#rerank")
    expect(app.locator("#status")).to_contain_text("Ranked 10 documents", timeout=LOADED)


@pytest.mark.parametrize("width", [320, 1280])
def test_the_answers_to_a_question_stay_side_by_side(app: Page, width: int) -> None:
    app.set_viewport_size({"width": width, "height": 900})
    button(app, "Remove all models").click()
    yes, no = (button(app, name).bounding_box() for name in ("Remove all", "Keep"))
    assert yes and no
    assert yes["y"] == no["y"]
    assert yes["x"] + yes["width"] < no["x"]


def test_a_stored_model_has_one_size(app: Page) -> None:
    option = app.locator("#model-list option", has_text="(bundled)")
    expect(option).to_contain_text("35 MB")
    expect(app.locator("#model-about")).to_contain_text("35 MB")
    expect(app.locator("#model-stored")).to_contain_text("35 MB")
    expect(app.locator("#model-storage")).to_contain_text("Models take up 35 MB")
