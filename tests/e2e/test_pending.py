"""The check that every test ends with: that nothing is left pending. Does it see what is?"""

from __future__ import annotations

from playwright.sync_api import Page

from tests.e2e.support import BERLIN, BERLIN_DOCUMENTS, pending_calls, run


def test_a_call_is_pending_until_it_settles(ready: Page) -> None:
    before, after = run(
        ready,
        """
        const call = t.rerank(...arg);
        await t.sleep(0);
        const before = t.pending();
        await call;
        return [before, t.pending()];""",
        [BERLIN, BERLIN_DOCUMENTS],
    )
    assert sorted(before) == ["rerank", "webrerank Python worker: rerank"]
    assert after == []


def test_an_aborted_call_is_pending_until_its_worker_has_let_go_of_it(ready: Page) -> None:
    body = """
        const documents = Array.from({ length: 20 }, (_, n) => `${n} ` + 'word '.repeat(200));
        await t.abort((signal) => t.rerank('q', documents, { signal }), 100);
        return t.pending();"""
    assert run(ready, body) == ["webrerank Python worker: rerank"]
    assert pending_calls(ready) == []
