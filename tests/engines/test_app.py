"""The page for people: it starts without a complaint, and works with the server gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.support import BERLIN, BERLIN_DOCUMENTS, LEAST_LIMIT_MB, ROOT, link_site
from tests.engines.conftest import besides_chromium
from tests.engines.page import EnginePage, run
from tools.serve import make_server
from tools.site import assemble

pytestmark = besides_chromium

WAIT = """
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const until = async (id, words) => {
      const element = document.getElementById(id);
      while (!element.textContent.includes(words)) {
        const error = document.getElementById('error').textContent.trim();
        if (error) throw new Error(error);
        await sleep(50);
      }
    };"""

#: The load event may come before the page's modules have run (WebKit), so they are waited for.
RANK = f"""{WAIT}
    while (!document.getElementById('status').textContent) await sleep(50);
    for (const [id, text] of Object.entries(arg)) document.getElementById(id).value = text;
    document.getElementById('rerank').click();
    await until('status', 'Ranked 2 documents');
    return Array.from(document.querySelectorAll('#results .result-text'), (e) => e.textContent);"""


def check_ranking(page: EnginePage) -> None:
    """Rank the Berlin documents, the worse first."""
    inputs = {"query": BERLIN, "documents": "\n".join(BERLIN_DOCUMENTS[::-1])}
    assert run(page, RANK, inputs) == BERLIN_DOCUMENTS


@pytest.mark.parametrize("published", ["whole", "in pieces"])
def test_the_app_works_with_the_server_gone(
    page: EnginePage, tmp_path: Path, published: str
) -> None:
    if published == "whole":
        link_site(tmp_path)
    else:
        assemble(ROOT, tmp_path / "dist", LEAST_LIMIT_MB)
        tmp_path = tmp_path / "dist"
    server = make_server(tmp_path, "127.0.0.1", 0)
    server.start()
    try:
        page.go(server.url)
        check_ranking(page)
        run(page, f"{WAIT} await until('offline', 'Ready to work offline.')")
        assert page.complaints() == []
    finally:
        server.stop()

    page.reload()
    check_ranking(page)
    run(page, f"{WAIT} await until('offline', 'Ready to work offline.')")
    page.complaints()  # that the server cannot be reached
