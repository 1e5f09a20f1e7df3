"""Errors name the cause and the cure: situations of public reports, rebuilt in a real browser."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.models import POSITIONS, tiny_model
from tests.e2e.support import (
    BLANK_PAGE,
    DIST,
    ROOT,
    Watch,
    link_model,
    link_site,
    make_site,
    run,
)
from tools import static_files
from tools.serve import Server, make_server

Serve = Callable[..., str]

#: The policy of our own pages, in parts that a test may leave out or change.
POLICY = {
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    "worker-src": "'self'",
    "connect-src": "'self'",
    "img-src": "data:",
}

#: What a page tells of the two ways into the library.
BOTH = """
    const { createReranker, models } = await t.lib();
    return [
      await t.outcome(() => createReranker({ sessions: 1 })),
      await t.outcome(() => models.prefetch()),
    ];"""


@pytest.fixture(autouse=True)
def a_browser_that_complains(watch: Watch) -> None:
    """Each of these situations shows on the console too."""
    watch.allow("console error", "console warning", "CSP violation", "request failed", "404")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with a model folder of its own."""
    site = make_site(tmp_path_factory.mktemp("words"))
    weights = tiny_model()
    link_model(site / "tiny", "onnx/model.onnx", weights, max_position_embeddings=POSITIONS)
    return site


@pytest.fixture
def serve(folder: Path) -> Iterator[Serve]:
    """Serve the site, or another folder, with headers of the test's own; gives its address."""
    servers: list[Server] = []

    def start(site: Path = folder, **headers: str) -> str:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        server = make_server(site, "127.0.0.1", 0, named)
        server.start()
        servers.append(server)
        return server.url

    yield start
    for server in servers:
        server.stop()


def policy(**changes: str | None) -> str:
    """A Content-Security-Policy; None leaves a directive out."""
    parts = {**POLICY, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return "; ".join(f"{name} {value}" for name, value in parts.items() if value is not None)


def error_of(page: Page, model: str | None = None, **options: Any) -> dict[str, Any]:
    """How createReranker fails; it must, and soon."""
    given = {"sessions": 1, **({} if model is None else {"model": model}), **options}
    body = "return Promise.race([t.outcome(() => t.start(arg)), t.sleep(25_000)])"
    outcome = run(page, body, given)
    assert outcome, "the start hangs"
    error: dict[str, Any] = outcome["error"]
    assert error["typed"], error
    return error


def check(error: dict[str, Any], code: str, *words: str, retryable: bool = False) -> None:
    assert (error["code"], error["retryable"]) == (code, retryable), error
    for word in words:
        assert word in error["message"], error["message"]
    assert retryable or "again" not in error["message"].lower(), error["message"]


# Bundled: the script is somewhere else, and its workers are not there.

ENTRY = f"""
import * as library from '{(DIST / "webrerank.js").as_posix()}';
globalThis.library = library;
"""

#: As `import.meta.url` is left by webpack 5, and by a bundle that is no module.
LEFT_BY_BUNDLERS = {
    "esbuild": [],
    "webpack": ['--define:import.meta.url="file:///home/me/node_modules/webrerank/lib/x.js"'],
    "no module": ["--format=iife"],
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A site whose only script is the library, bundled for real."""

    def build(*options: str, entry: str = ENTRY) -> Path:
        site = tmp_path_factory.mktemp("bundled")
        (site / "entry.js").write_text(entry, encoding="utf-8")
        command = [str(ROOT / "node_modules/.bin/esbuild"), str(site / "entry.js"), "--bundle"]
        outfile = f"--outfile={site / 'assets/app.js'}"
        subprocess.run([*command, "--format=esm", outfile, *options], check=True)
        script = '<script type="module" src="assets/app.js"></script>'
        (site / "blank.html").write_text(BLANK_PAGE + script, encoding="utf-8")
        return site

    return build


BUNDLED = """
    const { createReranker, models, rerank } = globalThis.library;
    const options = { query: 'q', documents: ['a'] };
    return [
      await t.outcome(() => createReranker()),
      await t.outcome(() => rerank(options)),
      await t.outcome(() => models.list()),
    ];"""


@pytest.mark.parametrize("host", ["404", "the page of a single-page app"])
def test_bundled_without_its_workers(
    open_page: OpenPage, serve: Serve, bundle: Callable[..., Path], host: str
) -> None:
    page = open_page(base=serve(bundle()))
    if host != "404":
        page.route(
            "**/workers/*",
            lambda route: route.fulfill(body=BLANK_PAGE, content_type="text/html"),
        )
    for outcome in run(page, BUNDLED):
        words = ("were not found beside its script", "/workers/", "Copy the whole dist/")
        check(outcome["error"], "runtime_load", *words)
        assert ("a web page" if host != "404" else "404") in outcome["error"]["message"]


#: As docs/errors.md shows it.
UNBUNDLED = """
globalThis.load = async () => {
  const address = new URL('/webrerank/webrerank.js', location.href).href;
  globalThis.library = await import(/* @vite-ignore */ /* webpackIgnore: true */ address);
};
"""


def test_left_out_of_the_bundle_it_works(
    open_page: OpenPage, serve: Serve, bundle: Callable[..., Path]
) -> None:
    site = bundle(entry=UNBUNDLED)
    link_site(site / "webrerank")
    page = open_page(base=serve(site))
    body = """
        await globalThis.load();
        const { results } = await library.rerank({ query: 'q', documents: ['a', 'b'] });
        return results.length;"""
    assert run(page, body) == 2
    shown = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert "import(/* @vite-ignore */ /* webpackIgnore: true */ address)" in shown


@pytest.mark.parametrize("kind", ["webpack", "no module"])
def test_a_bundle_that_does_not_know_where_it_is(
    open_page: OpenPage, serve: Serve, bundle: Callable[..., Path], kind: str
) -> None:
    page = open_page(base=serve(bundle(*LEFT_BY_BUNDLERS[kind])))
    for outcome in run(page, BUNDLED):
        check(outcome["error"], "runtime_load", "A bundler has moved", "Copy the whole dist/")


def test_a_worker_that_was_found_and_does_not_start(open_page: OpenPage) -> None:
    page = open_page()
    page.route(
        "**/workers/model-worker.js",
        lambda route: route.fulfill(
            body="throw new Error('early')", content_type="text/javascript"
        ),
    )
    error = run(page, "return t.outcome(async () => (await t.lib()).models.list())")["error"]
    check(error, "worker_crashed", "stopped while it started", retryable=True)
    assert "early" in error["cause"]


# Content-Security-Policy.


def test_a_policy_without_webassembly(open_page: OpenPage, serve: Serve) -> None:
    header = policy(script_src="'self'")
    page = open_page(base=serve(Content_Security_Policy=header))
    for outcome in run(page, BOTH):
        check(outcome["error"], "runtime_load", "forbids", "Add 'wasm-unsafe-eval' to script-src")


@pytest.mark.parametrize("value", [{"worker_src": "'none'"}, {"worker_src": "https://example.org"}])
def test_a_policy_without_workers(open_page: OpenPage, serve: Serve, value: dict[str, str]) -> None:
    page = open_page(base=serve(Content_Security_Policy=policy(**value)))
    for outcome in run(page, BOTH):
        check(
            outcome["error"], "runtime_load", "Content-Security-Policy", "Add 'self' to worker-src"
        )


def test_a_policy_without_our_policy_for_trusted_types(open_page: OpenPage, serve: Serve) -> None:
    header = f"{policy()}; require-trusted-types-for 'script'; trusted-types other"
    page = open_page(base=serve(Content_Security_Policy=header))
    for outcome in run(page, BOTH):
        check(outcome["error"], "runtime_load", "Add webrerank to its trusted-types.")


def test_a_policy_that_lets_nothing_be_fetched(
    open_page: OpenPage, serve: Serve, watch: Watch
) -> None:
    watch.allow("uncaught: Failed to fetch")  # Pyodide's own
    page = open_page(base=serve(Content_Security_Policy=policy(connect_src="https://example.org")))
    for outcome in run(page, BOTH):
        check(outcome["error"], "runtime_load", "Add 'self' to connect-src")


def test_a_policy_that_only_reports_is_not_blamed(open_page: OpenPage, serve: Serve) -> None:
    header = {"Content_Security_Policy_Report_Only": policy(connect_src="'none'")}
    page = open_page(base=serve(**header))
    check(error_of(page, "./nowhere/"), "model_load", "has no config.json", "Check its address")


# What the host sends.


@pytest.mark.parametrize("suffix", [".mjs", ".js"])
@pytest.mark.parametrize("sent", ["application/octet-stream", "text/plain"])
def test_scripts_of_a_wrong_type(open_page: OpenPage, suffix: str, sent: str) -> None:
    page = open_page()
    pattern = "**/pyodide.mjs" if suffix == ".mjs" else "**/workers/python-worker.js"

    def send(route: Route) -> None:
        route.fulfill(response=route.fetch(), headers={"Content-Type": sent})

    page.route(pattern, send)
    error = error_of(page)
    check(
        error, "runtime_load", pattern[2:], f"as {sent}", "only as text/javascript", "Set that type"
    )


def test_a_host_without_a_type_for_mjs(
    open_page: OpenPage, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, ONNX Runtime's too."""
    types = {name: kind for name, kind in static_files.MIME_TYPES.items() if name != ".mjs"}
    monkeypatch.setattr(static_files, "MIME_TYPES", types)
    check(error_of(open_page(base=serve())), "runtime_load", ".mjs", "application/octet-stream")


# Where the library is.


def test_the_library_of_another_site(open_page: OpenPage, serve: Serve) -> None:
    other = serve(Access_Control_Allow_Origin="*", Cross_Origin_Resource_Policy="cross-origin")
    header = policy(script_src=f"'self' 'wasm-unsafe-eval' {other}")
    page = open_page(base=serve(Content_Security_Policy=header))
    body = """
        const { createReranker, rerank, models } = await import(arg + 'webrerank.js');
        const options = { query: 'q', documents: ['a'] };
        const calls = [
          createReranker, () => rerank(options), models.list, models.prefetch, models.remove,
          models.usage, models.persist, () => models.export('x'),
        ];
        return Promise.all(calls.map((call) => t.outcome(() => call())));"""
    for outcome in run(page, body, other):
        words = (f"was imported from {other.rstrip('/')}", "Copy the whole dist/")
        check(outcome["error"], "runtime_load", *words)


def test_in_a_sandbox(open_page: OpenPage, serve: Serve) -> None:
    base = serve(Access_Control_Allow_Origin="*", Content_Security_Policy="sandbox allow-scripts")
    page = open_page(base=base)
    error = run(page, "return t.outcome(async () => (await t.lib()).models.list())")["error"]
    check(error, "runtime_load", "Add allow-same-origin")


# A model's host.


@pytest.mark.parametrize("status", [401, 403])
def test_a_folder_that_wants_a_login(open_page: OpenPage, status: int) -> None:
    page = open_page()
    page.route("**/locked/**", lambda route: route.fulfill(status=status))
    check(error_of(page, "./locked/"), "model_load", str(status), "wants a login")


def test_a_folder_whose_policy_forbids_it(open_page: OpenPage, serve: Serve) -> None:
    other = serve()
    page = open_page(base=serve(Content_Security_Policy=policy()))
    error = error_of(page, f"{other}tiny/")
    check(error, "model_load", other.rstrip("/"), "Add these addresses to connect-src")


def test_a_folder_that_does_not_answer_other_sites(open_page: OpenPage, serve: Serve) -> None:
    other = serve()
    page = open_page(base=serve(Content_Security_Policy=policy(connect_src="*")))
    error = error_of(page, f"{other}tiny/")
    check(error, "model_load", "Access-Control-Allow-Origin", "copy the model to your own site")


def test_a_folder_that_nobody_serves(open_page: OpenPage, serve: Serve) -> None:
    gone = make_server(ROOT / "docs", "127.0.0.1", 0)
    gone.stop()
    page = open_page(base=serve(Content_Security_Policy=policy(connect_src="*")))
    error = error_of(page, f"{gone.url}tiny/")
    check(error, "model_load", "cannot be reached", "Check the address", retryable=True)


def test_a_folder_that_answers_other_sites_works(open_page: OpenPage, serve: Serve) -> None:
    """So that the words above are about what they say."""
    other = serve(Access_Control_Allow_Origin="*")
    page = open_page(base=serve(Content_Security_Policy=policy(connect_src=f"'self' {other}")))
    run(page, "await t.start(arg)", {"model": f"{other}tiny/", "sessions": 1})


# What ONNX Runtime says of a model.


def _newer_format(model: Any) -> None:
    model.ir_version = 14


def _newer_operators(model: Any) -> None:
    model.opset_import[0].version = 99


def _unknown_operator(model: Any) -> None:
    next(node for node in model.graph.node if node.op_type == "MatMul").op_type = "MyOwnMatMul"


SPOILT: dict[str, tuple[Callable[[Any], None], str]] = {
    "too new": (_newer_format, "Unsupported model IR version: 14, max supported IR version: 13."),
    "too new operators": (_newer_operators, "Current official support for domain ai.onnx is till"),
    "an unknown operator": (_unknown_operator, "No Op registered for MyOwnMatMul"),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_the_models_own_reason(open_page: OpenPage, folder: Path, serve: Serve, kind: str) -> None:
    spoil, reason = SPOILT[kind]
    model = onnx.load_from_string(tiny_model())
    spoil(model)
    name = kind.replace(" ", "-")
    weights = model.SerializeToString()
    link_model(folder / name, "onnx/model.onnx", weights, max_position_embeddings=POSITIONS)
    error = error_of(open_page(base=serve()), f"./{name}/")
    check(error, "unsupported_model", reason, "Choose another model")
    assert "/onnxruntime/" not in error["message"], "its source files are no reader's business"


# Errors that leave the thread.


def test_an_error_keeps_what_it_is_on_its_way(open_page: OpenPage) -> None:
    page = open_page()
    body = """
        const { RerankError } = await t.lib();
        const cause = new TypeError('Failed to fetch');
        const errors = [
          new RerankError('model_load', 'Not there. Look.', { cause, retryable: false }),
          new RerankError('model_load', 'Not there. Look.'),
          new RerankError('inference', 'It failed. Look.', { cause: new RangeError('SECRET') }),
        ];
        const posted = (value) => new Promise((resolve) => {
          const { port1, port2 } = new MessageChannel();
          port2.onmessage = ({ data }) => resolve(data);
          port1.postMessage(value);
        });
        const told = [];
        for (const error of errors) {
          const ways = [
            await posted(error.toJSON()), structuredClone(error.toJSON()),
            JSON.parse(JSON.stringify(error)), RerankError.fromJSON(error.toJSON()).toJSON(),
          ];
          for (const json of ways) {
            const again = RerankError.fromJSON(json);
            const { name, code, message, retryable, cause } = again;
            told.push({ name, code, message, retryable, cause: cause ? String(cause) : null,
                        typed: again instanceof RerankError && again instanceof Error });
          }
        }
        return told;"""
    told = run(page, body)
    common = {"name": "RerankError", "typed": True}
    load = {**common, "code": "model_load", "message": "Not there. Look."}
    wanted = [
        {**load, "retryable": False, "cause": "TypeError: Failed to fetch"},
        {**load, "retryable": True, "cause": None},
        {**common, "code": "inference", "message": "It failed. Look.", "retryable": False,
         "cause": "RangeError"},
    ]  # fmt: skip
    assert told == [error for error in wanted for _ in range(4)]


def test_what_is_no_error_becomes_an_internal_one(open_page: OpenPage) -> None:
    page = open_page()
    body = """
        const { RerankError } = await t.lib();
        const given = [{}, null, undefined, 'x', { code: 'new_code', message: 5, retryable: 'yes' },
          { code: 'constructor' }, { code: 'model_load', cause: { name: 'x' } }];
        const parts = ({ code, message, retryable, cause }) =>
          [code, message, retryable, cause ?? null];
        return given.map((json) => parts(RerankError.fromJSON(json)));"""
    internal = ["internal", "", False, None]
    assert run(page, body) == [
        *([internal] * 4),
        ["internal", "5", False, None],
        internal,
        ["model_load", "", True, None],
    ]


# As the page shows them.


@pytest.mark.parametrize(("status", "can_help"), [(404, False), (503, True)])
def test_the_page_offers_to_try_again_only_where_it_can_help(
    open_page: OpenPage, status: int, can_help: bool
) -> None:
    page = open_page()
    page.route("**/workers/python-worker.js", lambda route: route.fulfill(status=status))
    page.goto(page.url.replace("blank.html", ""))
    error = page.locator("#error")
    expect(error).to_contain_text(str(status), timeout=30_000)
    expect(error.get_by_role("button", name="Try again")).to_have_count(int(can_help))
