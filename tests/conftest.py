"""Fixtures that more than one suite needs. Runs inside Pyodide too, so it imports little."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def model_folder() -> Path:
    """The bundled model, as it ships."""
    folder = ROOT / "dist" / "models" / "ms-marco-MiniLM-L-12-v2"
    if not folder.is_dir():
        pytest.fail("dist/ has no model: run `python build.py build` first", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def ir() -> Path:
    """Collections of queries, documents and judgements, shared beside the repository."""
    folder = ROOT.parent / "shared" / "ir"
    if not folder.is_dir():
        reason = f"the collections are not there: {folder}"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """One for all suites: a second one in the same thread does not start."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what drives a browser last: Playwright's event loop runs as long as its fixture lives,
    and asyncio.run works in no other test of the thread meanwhile."""
    last = {"pyodide": 1, "e2e": 2, "store": 3, "fuzz": 4, "engines": 5}
    here = Path(__file__).parent
    items.sort(key=lambda item: last.get(item.path.relative_to(here).parts[0], 0))
