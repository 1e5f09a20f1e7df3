"""Firefox that was told to keep no data for any site: the library runs from memory."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.e2e.support import BERLIN, BERLIN_DOCUMENTS, BERLIN_LOGIT
from tests.engines.conftest import Serve
from tests.engines.firefox import FirefoxPage
from tests.engines.page import EngineMissing, EnginePage, run

#: Cookies and all site data are refused.
BLOCKED = {"network.cookie.cookieBehavior": 2}


@pytest.fixture(scope="module")
def blocked_page() -> Iterator[EnginePage]:
    try:
        page = FirefoxPage(BLOCKED)
    except EngineMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))
    yield page
    page.close()


def test_it_runs_from_memory(blocked_page: EnginePage, serve: Serve) -> None:
    blocked_page.go(serve().url + "blank.html")
    refused = run(
        blocked_page,
        "try { indexedDB.open('x'); return ''; } catch (error) { return error.name; }",
    )
    assert refused == "SecurityError", "this Firefox keeps data all the same"
    run(blocked_page, "await t.start({ sessions: 1 })")
    assert run(blocked_page, "return t.reranker.saved") is False
    results = run(
        blocked_page, "return (await t.rerank(...arg)).results", [BERLIN, BERLIN_DOCUMENTS]
    )
    assert results[0]["logit"] == pytest.approx(BERLIN_LOGIT, abs=1e-3)
    prefetched = "return (await t.lib()).models.prefetch('ms-marco-MiniLM-L-12-v2')"
    assert run(blocked_page, prefetched)["saved"] is False
    ids = run(blocked_page, "return (await (await t.lib()).models.list()).map(({ id }) => id)")
    assert "ms-marco-MiniLM-L-12-v2" in ids
    usage = run(blocked_page, "return (await t.lib()).models.usage()")
    assert usage["modelBytes"] == 0 and usage["persisted"] is False
    run(blocked_page, "await (await t.lib()).models.remove()")
