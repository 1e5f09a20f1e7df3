"""The page's own defences hold in a real browser; see docs/security.md."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import OpenPage
from tests.e2e.support import Watch

#: What an injected line might try, each in the page's own context.
ATTEMPTS = """() => {
  const attempts = {
    markup: () => { document.body.innerHTML = '<b>x</b>'; },
    document: () => document.write('<b>x</b>'),
    worker: () => new Worker('sw.js', { type: 'module' }),
    policy: () => trustedTypes.createPolicy('mine', {}),
  };
  return Object.fromEntries(Object.entries(attempts).map(([name, attempt]) => {
    try { attempt(); return [name, 'done']; } catch (error) { return [name, error.name]; }
  }));
}"""


@pytest.fixture
def app(open_page: OpenPage, watch: Watch) -> Page:
    watch.allow("CSP violation", "console .*(Trusted|Content Security Policy)")
    return open_page("")


def test_text_never_becomes_markup_or_code(app: Page) -> None:
    outcome = app.evaluate(ATTEMPTS)
    assert outcome == dict.fromkeys(("markup", "document", "worker", "policy"), "TypeError")


def test_only_our_workers_have_an_address(app: Page) -> None:
    refused = app.evaluate(
        """async () => {
          const { workerUrl } = await import(await t.inRelease('lib/script-url.js'));
          try { workerUrl('../../elsewhere'); return 'given'; } catch (error) { return error.name; }
        }"""
    )
    assert refused == "TypeError"
