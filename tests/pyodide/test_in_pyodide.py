"""The suites of the core run once more where the product runs: inside Pyodide, in the browser."""

import base64
import importlib.metadata
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pyodide.conftest import PyodideHarness

ROOT = Path(__file__).resolve().parents[2]

#: pytest and what it needs: pure Python, carried over from this environment.
PYTEST = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")

#: What runs in both places, and what runs in Pyodide only.
BOTH = ("tests/unit", "tests/contract")
INSIDE_ONLY = "tests/pyodide/inside"
CARRIED = ("pyproject.toml", "tests/conftest.py", "tests/fakes.py", "tests/cases", *BOTH)

RUN_PYTEST = """
import json, os, sys
import pytest
from pyodide.ffi import can_run_sync

os.chdir("/carried")
assert can_run_sync(), "this browser has no JSPI, so asyncio.run cannot wait"

class Outcomes:
    def __init__(self):
        self.of = {}
        self.reports = []
    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            self.of[report.nodeid] = report.outcome
        if report.failed:
            self.reports.append(f"{report.nodeid}\\n{report.longreprtext}")
    def pytest_collectreport(self, report):
        if report.failed:
            self.reports.append(f"{report.nodeid}\\n{report.longreprtext}")

outcomes = Outcomes()
arguments = ["-q", "-p", "no:cacheprovider", "-p", "no:faulthandler", "--capture=sys", *given]
code = pytest.main(arguments, plugins=[outcomes])
json.dumps({"code": int(code), "outcomes": outcomes.of, "reports": outcomes.reports})
"""


def files_to_carry() -> Iterator[tuple[str, Path]]:
    for name in PYTEST:
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                yield str(file), Path(str(distribution.locate_file(file)))
    for place in (*CARRIED, INSIDE_ONLY):
        paths = [ROOT / place] if (ROOT / place).is_file() else sorted((ROOT / place).rglob("*"))
        for path in paths:
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), path


def zipped(files: Iterator[tuple[str, Path]]) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in files:
            archive.write(path, name)
    return base64.b64encode(buffer.getvalue()).decode()


def collected_here(*places: str) -> set[str]:
    """The tests that CPython would run, with the adapter's name that they have in Pyodide.

    In browsers the kernel is run by session workers, not by Python.
    """
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *places]
    result = subprocess.run(
        command, cwd=ROOT, capture_output=True, encoding="utf-8", errors="replace", check=True
    )
    lines = result.stdout.splitlines()
    tests = {line for line in lines if "::" in line and not line.endswith("[kernel]")}
    return {re.sub(r"\[native\b", "[pyodide", test) for test in tests}


@pytest.fixture(scope="module")
def carried(pyodide: PyodideHarness) -> PyodideHarness:
    pyodide.unpack(zipped(files_to_carry()), "/carried")
    pyodide.run("import sys; sys.path.insert(0, '/carried')")
    return pyodide


def run_inside(pyodide: PyodideHarness, *places: str) -> dict[str, str]:
    """Run pytest in the browser; gives the outcome of each test."""
    answer: dict[str, Any] = json.loads(pyodide.run(RUN_PYTEST, list(places)))
    assert answer["code"] == 0, "\n\n".join(answer["reports"]) or answer
    return dict(answer["outcomes"])


def test_unit_and_contract_suites_pass_in_pyodide_and_none_is_left_out(
    carried: PyodideHarness,
) -> None:
    outcomes = run_inside(carried, *BOTH)
    assert set(outcomes.values()) == {"passed"}
    assert set(outcomes) == collected_here(*BOTH)


def test_pyodides_own_adapters_pass_in_pyodide(carried: PyodideHarness) -> None:
    outcomes = run_inside(carried, INSIDE_ONLY)
    assert set(outcomes.values()) == {"passed"}
    assert len(outcomes) > 15
