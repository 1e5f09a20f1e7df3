"""Runs the quick Python tests on mutants. Each runs in a fork of a process that has imported all
but the product, and only the tests that reach the changed line are run."""

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools import BuildError
from tools.mutate.mutant import Mutant

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "py_src"

#: Seconds all of them take at most; one that a mutant sends round in circles is stopped.
MOST_SECONDS = 120

#: Tests that need neither browser nor bundled model.
QUICK = ("tests/unit", "tests/properties", "tests/contract")

OPTIONS = ["-q", "-x", "-p", "no:cacheprovider", "-o", "pythonpath=", "-k", "not native"]
#: hypothesis, a plugin of pytest, is imported before pytest starts.
OPTIONS += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]


class Reached:
    """A plugin that notes which lines of the product each test reaches, and how long it takes."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self.lines: dict[str, list[tuple[str, int]]] = {}
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        seen: set[tuple[str, int]] = set()

        def trace(frame: Any, _event: str, _argument: Any) -> Any:
            name = frame.f_code.co_filename
            if not name.startswith(self._folder):
                return None
            seen.add((name, frame.f_lineno))
            return trace

        started = time.perf_counter()
        sys.settrace(trace)
        yield
        sys.settrace(None)
        self.seconds[item.nodeid] = time.perf_counter() - started
        root = Path(self._folder).parent
        self.lines[item.nodeid] = [
            (Path(name).relative_to(root).as_posix(), line) for name, line in seen
        ]


class Chosen:
    """A plugin that runs the chosen tests only, in their order."""

    def __init__(self, tests: list[str]) -> None:
        self._order = {test: place for place, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self._order]
        items.sort(key=lambda item: self._order[item.nodeid])


class PythonRuns:
    """Knows which tests reach which line; gives a verdict on a mutant."""

    def __init__(self) -> None:
        import hypothesis
        import numpy

        assert hypothesis and numpy  # imported once, here, for all forks
        os.environ["WEBRERANK_HYPOTHESIS"] = "quick"
        with tempfile.TemporaryDirectory() as name:
            notes = Path(name) / "notes.json"
            code = _in_fork(lambda: _note(Path(name), notes), 10 * MOST_SECONDS)
            if code != 0:
                raise BuildError("the quick tests fail as they are: mend that first.")
            reached, self._seconds = json.loads(notes.read_text(encoding="utf-8"))
        self._by_line: dict[tuple[str, int], set[str]] = {}
        for test, lines in reached.items():
            for file, line in lines:
                self._by_line.setdefault((file, line), set()).add(test)

    def survives(self, mutant: Mutant) -> bool:
        """Whether no test notices it."""
        lines = range(mutant.line, mutant.last + 1)
        tests = set().union(*(self._by_line.get((mutant.file, line), set()) for line in lines))
        if mutant.place == "module" or not (tests or self._is_in_a_function(mutant)):
            tests = set(self._seconds)  # runs at import
        if not tests:
            return True
        chosen = sorted(tests, key=lambda test: self._seconds[test])
        with tempfile.TemporaryDirectory() as name:
            folder = _copy(Path(name))
            target = folder.parent / mutant.file
            target.write_text(mutant.apply(target.read_text(encoding="utf-8")), encoding="utf-8")
            files = sorted({test.split("::")[0] for test in chosen})
            return _in_fork(lambda: _run(folder, files, [Chosen(chosen)]), MOST_SECONDS) == 0

    def _is_in_a_function(self, mutant: Mutant) -> bool:
        return mutant.place.rpartition(".")[2][:1].islower()


def _copy(folder: Path) -> Path:
    return Path(shutil.copytree(SOURCES, folder / "py_src", ignore=lambda *_: ["__pycache__"]))


def _note(folder: Path, notes: Path) -> int:
    copy = _copy(folder)
    plugin = Reached(copy)
    code = _run(copy, list(QUICK), [plugin])
    notes.write_text(json.dumps([plugin.lines, plugin.seconds]), encoding="utf-8")
    return code


def _run(sources: Path, files: list[str], plugins: list[Any]) -> int:
    sys.path[:0] = [str(sources), str(ROOT)]
    sys.dont_write_bytecode = True
    return int(pytest.main([*OPTIONS, *files], plugins=plugins))


def _in_fork(work: Callable[[], int], seconds: float) -> int:
    """The exit code of work in a process of its own; -1 if it is stopped or dies."""
    child = os.fork()
    if child == 0:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        try:
            os._exit(work())
        except BaseException:
            os._exit(70)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -1
