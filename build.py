"""The front door of webrerank, for people and for CI: `python build.py COMMAND`.

It starts with Python's standard library alone and makes its own `.venv`; see `--help`.
This file must stay readable for old Pythons, so that they can say what is missing.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - a newcomer's may be older
    sys.exit("build.py needs Python 3.11 or newer: run it as, for example, python3.11 build.py")

import argparse
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tools import BuildError
from tools.browser import find_browser, install_engines
from tools.check import run_checks
from tools.environment import Environment, ensure_node_modules, open_page
from tools.kernel import build_kernel
from tools.serve import make_server
from tools.site import build_site

ROOT = Path(__file__).resolve().parent

ENGINES = ROOT / "tests" / "engines"

#: Tests of single JavaScript files, for Node's own test runner.
JS_TESTS = ROOT / "tests" / "js"

#: Folders of tests that start browsers.
IN_BROWSERS = ("tests/pyodide", "tests/e2e", "tests/store", "tests/fuzz", "tests/engines")

#: The commands that measure, and the modules that do it.
MEASURING = {"bench": "bench", "eval": "bench.evaluate"}

#: The commands that look for faults, and the modules that do it.
SEARCHING = {"fuzz": "tests.fuzz", "mutate": "tools.mutate"}

#: What follows these is for another program, which knows its own options.
PASSED_ON = ("test", *MEASURING, *SEARCHING)

HELP = """\
commands:
  build                   fetch and verify the pinned parts, build dist/, a static site
  serve                   build if needed, serve dist/, print its address when ready
    --port PORT           default 8000; 0 picks a free one
    --host HOST           default 127.0.0.1
    --no-open             do not open the browser
  test [PYTEST ARGUMENTS] install what the tests need, browsers included, and run them;
                          everything after `test` goes to pytest as it is, but for paths
                          in tests/js, which Node runs
  kernel                  compile kernel/*.c to web/kernel/*.wasm, which are committed: only
                          after a change there (a compiler of 100 MB goes into .venv/)
  check                   formatting, lint, types, import rules: seconds, no browser
  bench                   measure against the peers by turns, in one browser, and write
                          bench/results/; wants an idle machine and takes most of an hour
    --quick               a few minutes: does everything work? writes bench/scratch/
    --rounds N            how often each peer is timed, default 5
  eval                    ranking quality (nDCG@10, MRR@10) of dist/ in the browser and
                          of native onnxruntime; writes bench/results/
    --queries N           only the first N of each collection; writes bench/scratch/
  fuzz                    damage models, tokenizers, answers of hosts, stored records, messages
                          and requests at random; what fails is kept in test-results/fuzz/
    --minutes N           how long, default 5
    --seed S              the same seed makes the same cases; default: the time
    --only KIND           models, tokenizers, hosts, records, messages or requests
    --replay FILE         run a kept case again
  mutate [FILES]          change the core, or FILES, in small ways, and show each change that
                          no quick test notices
    --minutes N           how long, default 30

needed: Python 3.11 or newer, Node 20 or newer with npm. Everything else goes into .venv/,
node_modules/ and the cache of downloaded parts; a second run uses what is there.

environment variables:
  WEBRERANK_CACHE         folder of the downloaded parts (default: the user's cache folder)
  WEBRERANK_BROWSER       browser for `test`, `bench` and `eval`: the path of a
                          Chromium or Chrome
"""


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; some commands keep what follows them for another program."""
    if arguments and arguments[0] in PASSED_ON:  # argparse would take the options for its own
        return argparse.Namespace(command=arguments[0], arguments=arguments[1:])
    parser = argparse.ArgumentParser(
        prog="build.py",
        usage="python build.py COMMAND [OPTIONS]",
        description="Build, serve, test, check and measure webrerank.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(
        dest="command",
        metavar="COMMAND",
        prog="python build.py",
        required=True,
        help=argparse.SUPPRESS,
    )
    for name in ("build", "kernel", "check", *PASSED_ON):
        commands.add_parser(name)
    serve = commands.add_parser("serve", description="Build if needed, and serve dist/.")
    serve.add_argument("--port", type=int, default=8000, help="default 8000; 0 picks a free one")
    serve.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1")
    serve.add_argument("--no-open", action="store_true", help="do not open the browser")
    return parser.parse_args(arguments or ["--help"])


def serve(host: str, port: int, open_browser: bool) -> int:
    """Serve dist/ until Ctrl-C. The port is taken first, so a busy one shows at once."""
    server = make_server(ROOT / "dist", host, port)
    try:
        build_site(ROOT)
        print(server.url, flush=True)
        if open_browser:
            open_page(server.url)
        server.serve_forever()
    finally:
        server.stop()
    return 0


def test(pytest_arguments: list[str]) -> int:
    """Build, find the browsers, run pytest."""
    python = Environment(ROOT).ensure("test")
    build_site(ROOT)
    if wants_engines(pytest_arguments):
        install_engines()
    environment = os.environ | {"WEBRERANK_BROWSER": find_browser(python)}
    code = 0
    if in_node := tests_for_node(pytest_arguments):
        code = subprocess.run(["node", "--test", *in_node], cwd=ROOT, check=False).returncode
    rest = [word for word in pytest_arguments if not is_for_node(word)]
    command = [str(python), "-m", "pytest", *rest]
    if not pytest_arguments:
        return test_all(command, environment) or code
    if not rest:  # nothing but tests for Node was asked for
        return code
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode or code


def is_for_node(word: str) -> bool:
    return (ROOT / word).is_relative_to(JS_TESTS) and (ROOT / word).exists()


def tests_for_node(pytest_arguments: list[str]) -> list[str]:
    """The files of JS_TESTS that are asked for; all of them if no argument is given."""
    asked = [ROOT / word for word in pytest_arguments if is_for_node(word)]
    found = JS_TESTS.glob("*.test.js")
    wanted = (file for file in found if not pytest_arguments or {file, JS_TESTS} & set(asked))
    return sorted(map(str, wanted))


def test_all(command: list[str], environment: dict[str, str]) -> int:
    """Run all tests, those that need no browser beside the engines', which wait more than compute.

    The other browser tests come after, alone: they look at how soon something is answered.
    """

    def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*command, *arguments], cwd=ROOT, env=environment, **options)

    with tempfile.TemporaryFile() as output:
        engines = start("tests/engines", stdout=output, stderr=output)
        try:
            codes = [start("tests", *(f"--ignore={folder}" for folder in IN_BROWSERS)).wait()]
            codes.append(engines.wait())
        finally:
            engines.kill()
        output.seek(0)
        print(output.read().decode("utf-8", "replace"), flush=True)
    codes.append(start(*(folder for folder in IN_BROWSERS if folder != "tests/engines")).wait())
    return next(filter(None, codes), 0)  # negative if a signal ended one


def wants_engines(pytest_arguments: list[str]) -> bool:
    """Whether tests of all engines may run: those in ENGINES, or all if no path is given."""
    paths = [ROOT / word.split("::")[0] for word in pytest_arguments]
    # What follows an option such as -k may be a folder's name too.
    paths = [path for path in paths if path.is_relative_to(ENGINES.parent) and path.exists()]
    related = (path.is_relative_to(ENGINES) or ENGINES.is_relative_to(path) for path in paths)
    return not paths or any(related)


def measure(module: str, arguments: list[str]) -> int:
    """Build, get the peers, run a module of bench/."""
    python = Environment(ROOT).ensure("bench")
    build_site(ROOT)
    ensure_node_modules(ROOT)
    ensure_node_modules(ROOT / "bench")
    environment = os.environ | {
        "WEBRERANK_BROWSER": find_browser(python),
        "PYTHONPATH": str(ROOT / "py_src"),
    }
    command = [str(python), "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def search(module: str, arguments: list[str]) -> int:
    """Build, run a module that looks for faults."""
    python = Environment(ROOT).ensure("test")
    build_site(ROOT)
    ensure_node_modules(ROOT)
    environment = os.environ | {
        "WEBRERANK_BROWSER": find_browser(python),
        "PYTHONPATH": str(ROOT / "py_src"),
    }
    command = [str(python), "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def dispatch(options: argparse.Namespace) -> int:
    """Run the chosen command; the result is the exit code."""
    if options.command == "serve":
        return serve(options.host, options.port, not options.no_open)
    if options.command == "test":
        return test(options.arguments)
    if options.command in MEASURING:
        return measure(MEASURING[options.command], options.arguments)
    if options.command in SEARCHING:
        return search(SEARCHING[options.command], options.arguments)
    if options.command == "check":
        return run_checks(ROOT)
    if options.command == "kernel":
        build_kernel(ROOT)
        return 0
    build_site(ROOT)
    return 0


def main(arguments: list[str]) -> int:
    """Run one command; an expected failure is one sentence on stderr, never a traceback."""
    try:
        return dispatch(parse_arguments(arguments))
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
