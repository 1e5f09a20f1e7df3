"""Two releases on one host, whatever it lets the browser keep: a page runs code of one of them, or
says that the site was updated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.releases import (
    FIRST,
    SECOND_VERSION,
    build_second_release,
    deploy,
    release_of,
)
from tests.e2e.support import (
    BERLIN_DOCUMENTS,
    Watch,
    check_works,
    make_site,
    recorded_requests,
    run,
)
from tests.e2e.test_offline import rank_in_app
from tools.serve import Server, make_server

#: What a careless host sends with everything.
KEPT_FOR_AN_HOUR = {"Cache-Control": "max-age=3600"}

#: A missing file is told within seconds, even on a busy machine.
TOLD_MS = 20_000


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_second_release(tmp_path_factory.mktemp("second"))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The folder of a site of this test's own."""
    return make_site(tmp_path / "site")


@pytest.fixture
def server(site: Path) -> Iterator[Server]:
    started = make_server(site, "127.0.0.1", 0, KEPT_FOR_AN_HOUR)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def releases(watch: Watch) -> Iterator[list[str]]:
    """The paths that are asked for, whoever asks; a test empties it for a new page."""
    watch.allow("404", "ERR_ABORTED", "request failed", "console error", "blocked by Playwright")
    with recorded_requests() as paths:
        yield paths


def mixed(paths: list[str]) -> bool:
    return len({found[1] for path in paths if (found := re.search(r"release/(\w+)/", path))}) > 1


#: Loads and reports: how it ended, of which release the library is, and after how long.
START = """
    const started = performance.now();
    const { VERSION = 'first' } = await t.lib();
    const outcome = await t.outcome(() => t.start({ sessions: 1 }));
    return { release: VERSION, error: outcome.error, ms: performance.now() - started };"""


def check_works_or_updated(page: Page, answer: dict[str, object], keep_old: bool) -> None:
    """With the old files there it works; without them it works, or says what has happened."""
    if answer["error"]:
        assert not keep_old
        check_updated(answer)
    else:
        check_works(page)


def check_updated(answer: dict[str, object]) -> None:
    """The error says what has happened and what helps, in time."""
    error = answer["error"]
    assert isinstance(error, dict) and error["typed"]
    assert error["code"] == "runtime_load" and error["retryable"]
    assert "The site was updated" in error["message"] and "Reload the page" in error["message"]
    assert error["cause"], "what was missing"
    assert isinstance(answer["ms"], int | float) and answer["ms"] < TOLD_MS


@pytest.mark.parametrize("keep_old", [True, False], ids=["old files kept", "old files gone"])
@pytest.mark.parametrize("visited", ["the library only", "all but WebGPU"])
def test_a_page_that_uses_the_library(
    open_page: OpenPage,
    server: Server,
    site: Path,
    second: Path,
    releases: list[str],
    keep_old: bool,
    visited: str,
) -> None:
    page = open_page(base=server.url)
    if visited == "the library only":
        run(page, "await t.lib()")
    else:
        assert run(page, START)["error"] is None
    deploy(site, second, keep_old=keep_old)

    later = page.context.new_page()
    later.goto(server.url + "blank.html")
    releases.clear()
    answer = run(later, START)
    assert not mixed(releases)
    check_works_or_updated(later, answer, keep_old)

    later.reload()  # what the error advises
    releases.clear()
    again = run(later, START)
    assert again["error"] is None and not mixed(releases)
    check_works(later)
    if answer["error"]:
        assert again["release"] == SECOND_VERSION


@pytest.mark.parametrize("keep_old", [True, False], ids=["old files kept", "old files gone"])
def test_the_app(
    open_page: OpenPage,
    server: Server,
    site: Path,
    second: Path,
    releases: list[str],
    keep_old: bool,
) -> None:
    """Without its service worker, which would answer with one whole release anyway."""
    page = open_page("", base=server.url, service_workers="block")
    assert rank_in_app(page) == BERLIN_DOCUMENTS
    deploy(site, second, keep_old=keep_old)
    releases.clear()
    page.reload()
    assert rank_in_app(page) == BERLIN_DOCUMENTS
    assert not mixed(releases) and run(page, PAGE_RELEASES) == [release_of(second)]


PAGE_RELEASES = """
    const names = performance.getEntriesByType('resource').map(({ name }) => name);
    const found = names.map((name) => /release\\/(\\w+)\\//.exec(name)?.[1]);
    return [...new Set(found.filter(Boolean))];"""


@pytest.mark.parametrize("keep_old", [True, False], ids=["old files kept", "old files gone"])
def test_under_a_page_in_use(
    open_page: OpenPage, site: Path, second: Path, releases: list[str], keep_old: bool
) -> None:
    """On a good host, where all is revalidated."""
    server = make_server(site, "127.0.0.1", 0)
    server.start()
    page = open_page(base=server.url)
    assert run(page, START)["error"] is None
    deploy(site, second, keep_old=keep_old)
    run(page, "t.crash('Python', -1)")
    releases.clear()
    answer = run(page, AGAIN)
    assert not mixed(releases)
    check_works_or_updated(page, answer, keep_old)
    server.stop()


AGAIN = """
    const started = performance.now();
    const { error } = await t.outcome(() => t.rerank('which fox is red?', ['a red fox', 'a dog']));
    return { error, ms: performance.now() - started };"""


def test_with_the_service_worker(
    open_page: OpenPage, server: Server, site: Path, second: Path, releases: list[str]
) -> None:
    page = open_page("", base=server.url)
    assert rank_in_app(page) == BERLIN_DOCUMENTS
    expect(page.locator("#offline")).to_have_text("Ready to work offline.", timeout=60_000)
    page.reload()  # now the service worker answers it
    assert rank_in_app(page) == BERLIN_DOCUMENTS

    deploy(site, second, keep_old=False)
    releases.clear()
    other = page.context.new_page()
    other.goto(server.url)
    expect(other.locator("#update")).to_contain_text("An update is ready", timeout=60_000)
    _check_only_changed_files_were_fetched(releases, site)
    run(page, "t.crash('Python', -1)")  # the page must start workers of its own release
    page.fill("#query", "Where is the museum?")
    assert rank_in_app(page) == BERLIN_DOCUMENTS
    assert run(page, PAGE_RELEASES) == [FIRST]

    other.close()
    page.reload()
    with page.expect_navigation():
        page.get_by_role("button", name="Reload to use it").click()
    assert rank_in_app(page) == BERLIN_DOCUMENTS
    assert run(page, PAGE_RELEASES) == [release_of(second)]


def _check_only_changed_files_were_fetched(paths: list[str], site: Path) -> None:
    """The rest is copied from what the first release's service worker has kept, by its hash."""
    changed = ("protocol.js", "version.js", "webrerank.js", "site.js", ".whl", "index.html")
    known = (*changed, "files.json", "sw.js", "/")
    fetched = {path.partition("?")[0] for path in paths}
    assert any(path.endswith("lib/protocol.js") for path in fetched)
    assert [path for path in fetched if not path.endswith(known)] == []
