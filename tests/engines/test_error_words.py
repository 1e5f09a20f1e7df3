"""Errors name a Content-Security-Policy, or what the host sent, in every engine: each tells scripts
in its own way that it refused something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_error_words import policy
from tests.engines.conftest import besides_chromium
from tests.engines.page import EnginePage, run
from tools import static_files
from tools.serve import Server, make_server

pytestmark = besides_chromium

BODY = """
    const { createReranker, models } = await t.lib();
    return [
      await t.outcome(() => createReranker(arg)),
      await t.outcome(() => models.prefetch(arg.model)),
    ];"""

#: A policy, and what both ways into the library say of it.
POLICIES = {
    "no WebAssembly": ({"script_src": "'self'"}, "Add 'wasm-unsafe-eval' to script-src"),
    "no workers": ({"worker_src": "'none'"}, "Add 'self' to worker-src"),
    "nothing fetched": ({"connect_src": "https://example.org"}, "Add 'self' to connect-src"),
}

Open = Callable[..., EnginePage]


@pytest.fixture
def open_with(browser_page: EnginePage, site_folder: Path) -> Iterator[Open]:
    """Open the blank page with headers of the test's own."""
    servers: list[Server] = []

    def start(**headers: str) -> EnginePage:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        server = make_server(site_folder, "127.0.0.1", 0, named)
        server.start()
        servers.append(server)
        browser_page.go(server.url + "blank.html")
        return browser_page

    yield start
    browser_page.complaints()  # it complains of each of these
    for server in servers:
        server.stop()


def errors_of(page: EnginePage, **options: Any) -> list[dict[str, Any]]:
    errors = [outcome["error"] for outcome in run(page, BODY, {"sessions": 1, **options})]
    for error in errors:
        assert error["typed"] and not error["retryable"], error
    return errors


@pytest.mark.parametrize("kind", POLICIES)
def test_a_policy_that_is_too_narrow(open_with: Open, kind: str) -> None:
    changes, words = POLICIES[kind]
    page = open_with(Content_Security_Policy=policy(**changes))
    for error in errors_of(page):
        assert error["code"] == "runtime_load" and words in error["message"], error


def test_a_model_host_that_the_policy_forbids(open_with: Open) -> None:
    page = open_with(Content_Security_Policy=policy())
    for error in errors_of(page, model="https://models.example.org/some/folder/"):
        assert error["code"] == "model_load", error
        assert "connect to https://models.example.org, or" in error["message"], error


def test_a_host_without_a_type_for_mjs(open_with: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    types = {name: kind for name, kind in static_files.MIME_TYPES.items() if name != ".mjs"}
    monkeypatch.setattr(static_files, "MIME_TYPES", types)
    (created, _) = run(open_with(), BODY, {"sessions": 1})
    message = created["error"]["message"]
    assert "as application/octet-stream" in message and ".mjs files on the host" in message
