"""What the browser tests share: the watch over the console, the site, the native oracle."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Route, WebError

from tools.browser import installed
from tools.static_files import Handler
from webrerank import load_reranker

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
MODEL = "ms-marco-MiniLM-L-12-v2"
MODEL_FOLDER = DIST / "models" / MODEL
HELPERS = Path(__file__).with_name("page_helpers.js")

BROWSER_ARGUMENTS = [
    *("--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    # V8 compiles a second time, and better, what runs often. Here pages live for seconds, and three
    # tenths of their processor time would go into that.
    "--js-flags=--wasm-tiering-budget=2000000000",
]

#: The least that `build.py build --max-file-mb` allows: the largest script has 4.8 MB.
LEAST_LIMIT_MB = 5

#: Aborts must be answered within 50 ms (DESIGN.md); a busy build machine gets some more.
ABORT_MS = 250

#: By then all that a test has asked for, or a fault has set off, has come to an end.
SETTLE_SECONDS = 30

BERLIN = "How many people live in Berlin?"
BERLIN_DOCUMENTS = [
    "Berlin has a population of 3,520,031 registered inhabitants in an area of 891.82 square "
    "kilometers.",
    "New York City is famous for the Metropolitan Museum of Art.",
]

#: Its logit on WebAssembly, as pinned.
BERLIN_LOGIT: float = json.loads(
    (ROOT / "tests" / "golden" / "logits.json").read_text(encoding="utf-8")
)["pairs"][0]["wasm"]

#: The server sends it with the same Content-Security-Policy as the app.
BLANK_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>blank</title>
<link rel="icon" href="data:,"><p>A page that uses the library.</p></html>"""

T = TypeVar("T")


class Watch:
    """Collects what a browser complains of; `check` fails on all that was not allowed."""

    def __init__(self) -> None:
        self._problems: list[str] = []
        self._allowed: list[re.Pattern[str]] = []
        self._contexts: list[BrowserContext] = []

    def follow(self, context: BrowserContext) -> None:
        """Watch all pages and workers of a context."""
        self._contexts.append(context)
        context.add_init_script(path=HELPERS)
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)
        context.on("requestfailed", self._failed)

    def allow(self, *patterns: str) -> None:
        """Expect complaints that match, until the end of the test."""
        self._allowed += map(re.compile, patterns)

    def check(self) -> None:
        """Fail on complaints since the last check, and on calls that do not settle."""
        for context in self._contexts:
            self._settle(context)
        problems = [
            problem
            for problem in self._problems
            if not any(pattern.search(problem) for pattern in self._allowed)
        ]
        self._problems.clear()
        self._allowed.clear()
        assert not problems, "the browser complained:\n" + "\n".join(problems)

    def close(self, context: BrowserContext) -> None:
        """Close a context; what that breaks off is no complaint, but what hangs before is."""
        self._settle(context)
        self._contexts.remove(context)
        context.remove_listener("requestfailed", self._failed)
        context.close()

    def _settle(self, context: BrowserContext) -> None:
        """Let events arrive; all that was asked of the library must come to an end."""
        for page in context.pages:
            if not page.is_closed():
                self._problems += [f"never settled: {call}" for call in pending_calls(page)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            where = message.location.get("url", "")
            self._problems.append(f"console {message.type}: {message.text} ({where})")

    def _error(self, error: WebError) -> None:
        self._problems.append(f"uncaught: {error.error}")

    def _request(self, request: Request) -> None:
        if not re.match(r"http://127\.0\.0\.1:|data:|blob:", request.url):
            self._problems.append(f"left the origin: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.method == "HEAD":  # Chromium calls one aborted whose empty body is not read
            return
        self._problems.append(f"request failed: {request.url} {request.failure}")


def pending_calls(page: Page) -> list[str]:
    """Calls that do not settle, public ones and those to workers; waits for those that do.

    A page that uses the library by itself, as the app does, may be in the middle of its own.
    """
    for _ in range(SETTLE_SECONDS * 10):
        calls: list[str] = page.evaluate("globalThis.t?.used ? t.pending() : []")
        if not calls:
            break
        page.wait_for_timeout(100)
    return calls


def run(page: Page, body: str, argument: Any = None) -> Any:
    """Run the body of an async function of `arg` in the page; page_helpers.js gives it `t`."""
    return page.evaluate(f"async (arg) => {{ {body} }}", argument)


def check_works(page: Page) -> None:
    """The reranker of the page answers, and rightly."""
    check_berlin(run(page, "return t.rerank(...arg)", [BERLIN, BERLIN_DOCUMENTS]))


def check_berlin(ranking: dict[str, Any]) -> None:
    """A ranking of the Berlin documents by the bundled model is the right one."""
    results = ranking["results"]
    assert [result["index"] for result in results] == [0, 1]
    assert results[0]["logit"] == pytest.approx(BERLIN_LOGIT, abs=1e-3)


def rewrite(page: Page, path: str, *changes: tuple[str, str]) -> None:
    """Change one of the site's scripts on its way to the browser: (old, new) texts."""
    source = (DIST / published(path)).read_text(encoding="utf-8")
    for old, _ in changes:
        assert old in source, f"{path} has changed: adapt this test"

    def answer(route: Route) -> None:
        response = route.fetch()
        text = response.text()
        for old, new in changes:
            text = text.replace(old, new)
        route.fulfill(response=response, body=text)

    page.route(f"**/{path}", answer)


def shorten_patience(page: Page, **limits_ms: int) -> None:
    """Have the page and its workers wait for less, by the names in lib/patience.js."""
    source = (DIST / published("lib/patience.js")).read_text(encoding="utf-8")
    found = {name: re.search(rf"\b{name}: [0-9_* ]+,", source) for name in limits_ms}
    changes = [(match[0], f"{name}: {limits_ms[name]},") for name, match in found.items() if match]
    assert len(changes) == len(limits_ms)
    rewrite(page, "lib/patience.js", *changes)


def wait_for_workers_to_end(page: Page) -> None:
    """Fail if a worker stays; Chromium lets one that computes go on for two seconds."""
    for _ in range(50):
        if not page.workers:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"still there: {[worker.url for worker in page.workers]}")


def without_ids(path: str) -> str:
    """The path of a file of dist/ without the ids that the build has put into it."""
    return re.sub(r"^release/\w+/|(?<=^vendor/)(\w+)/\w+(?=/)", r"\1", path)


def published(name: str, site: Path = DIST) -> str:
    """The path of a file of dist/ by that path without ids."""
    files = json.loads((site / "files.json").read_text(encoding="utf-8"))["files"]
    [path] = (file["path"] for file in files if without_ids(file["path"]) == name)
    return str(path)


def link_site(folder: Path, site: Path = DIST) -> None:
    """Lay dist/ out in another folder, at no cost: hard links where the disk allows them."""

    def link(source: str, target: str) -> None:
        try:
            Path(target).unlink(missing_ok=True)
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)

    shutil.copytree(site, folder, copy_function=link, dirs_exist_ok=True)


def make_site(folder: Path, blank: str = BLANK_PAGE) -> Path:
    """dist/ as it is, a blank page, and room for the tests' own models."""
    if not (DIST / "webrerank.js").is_file():
        pytest.fail("dist/ is missing: run `python build.py build` first", pytrace=False)
    link_site(folder)
    (folder / "blank.html").write_text(blank, encoding="utf-8")
    return folder


def browser_path() -> str | None:
    """The browser of the tests; None for the one that Playwright brings along."""
    chosen = os.environ.get("WEBRERANK_BROWSER")  # "" from build.py: Playwright's own
    return installed() if chosen is None else chosen or None


def link_model(target: Path, onnx_path: str, model: bytes, **config: Any) -> None:
    """Make a model folder in the hub's layout with the bundled model's tokenizer."""
    (target / "onnx").mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy2(MODEL_FOLDER / name, target / name)
    values = json.loads((MODEL_FOLDER / "config.json").read_text(encoding="utf-8"))
    (target / "config.json").write_text(json.dumps({**values, **config}), encoding="utf-8")
    (target / onnx_path).write_bytes(model)


def in_thread(work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine beside Playwright, which keeps this thread's event loop for itself."""

    async def call() -> T:
        return await work()

    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, call()).result()


def native_logits(
    folder: Path, requests: Sequence[tuple[str, list[str]]], engine: str = "onnxruntime"
) -> list[list[float]]:
    """What CPython answers for each (query, documents), in the order of documents."""

    async def score() -> list[list[float]]:
        reranker = load_reranker(folder, engine=engine)
        answers = []
        for query, documents in requests:
            ranking = await reranker.rerank(query, documents)
            by_place = sorted(ranking.results, key=lambda result: result.index)
            answers.append([float(result.logit or 0) for result in by_place])
        return answers

    return in_thread(score)


def browser_logits(page: Page, requests: Sequence[tuple[str, list[str]]]) -> list[list[float]]:
    """The same from the page's reranker."""
    answers: list[list[float]] = run(
        page,
        """
        const answers = [];
        for (const [query, documents] of arg) {
          const { results } = await t.rerank(query, documents);
          answers.push(results.sort((a, b) => a.index - b.index).map((r) => r.logit));
        }
        return answers;""",
        [list(request) for request in requests],
    )
    return answers


@contextmanager
def recorded_requests() -> Iterator[list[str]]:
    """The paths that any of our servers is asked for, whoever asks: pages, workers, sw.js."""
    paths: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Handler, "log_request", lambda self, *_: paths.append(self.path))
        yield paths
