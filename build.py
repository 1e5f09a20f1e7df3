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
from pathlib import Path

from tools import BuildError
from tools.browser import find_browser, install_engines
from tools.check import run_checks
from tools.command_line import MEASURING, SEARCHING, parse_arguments
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

#: pytest's options for two files at once; a file's tests share what they start.
SIDE_BY_SIDE = ("--numprocesses=2", "--dist=loadfile")

#: What gives a verdict in three minutes.
WITHOUT_BROWSERS = ("tests", *(f"--ignore={folder}" for folder in IN_BROWSERS), *SIDE_BY_SIDE)


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
    ensure_node_modules(ROOT)
    if pytest_arguments == ["--fast"]:
        in_node = subprocess.run(["node", "--test", *tests_for_node([])], cwd=ROOT, check=False)
        command = [str(python), "-m", "pytest", *WITHOUT_BROWSERS]
        in_python = subprocess.run(command, cwd=ROOT, check=False)
        return in_node.returncode or in_python.returncode
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
    """Run all tests: several files at once, then those that must be alone.

    Files that need no browser come first: their verdict is there within three minutes.
    """
    runs = [
        WITHOUT_BROWSERS,
        [*IN_BROWSERS, "-m", "not alone", *SIDE_BY_SIDE],
        [*IN_BROWSERS, "-m", "alone"],
    ]
    codes = [
        subprocess.run([*command, *run], cwd=ROOT, env=environment, check=False).returncode
        for run in runs
    ]
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
        return run_checks(ROOT, options.fast)
    if options.command == "kernel":
        build_kernel(ROOT)
        return 0
    build_site(ROOT, options.max_file_mb)
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
