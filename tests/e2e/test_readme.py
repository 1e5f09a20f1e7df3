"""The README's examples do what it says, as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import OpenPage
from tests.e2e.support import ROOT, link_site
from tools.serve import make_server

README = (ROOT / "README.md").read_text(encoding="utf-8")
ANSWER = "Employees who resign must tell their manager at least four weeks ahead."
#: int8 differs a little between processors.
SCORE = pytest.approx(0.9, abs=0.05)

PAGE = '<!doctype html><html lang="en"><title>theirs</title><link rel="icon" href="data:,"></html>'


def example(language: str) -> str:
    """The one example in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
    return str(found)


def leave_out(site: Path) -> None:
    """Remove from dist/ what the README says that may be left out."""
    sentence = re.search(r"Leave out (`.*?)\. Then", README, re.DOTALL)
    assert sentence
    names = re.findall(r"`([^`]+)`", sentence[1])
    assert {"sw.js", "release/*/app/", "*.br"} <= set(names)
    for name in names:
        paths = list(site.rglob(name) if name.startswith("*") else site.glob(name))
        assert paths, f"dist/ has no {name}"
        for path in paths:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_in_your_page(open_page: OpenPage, tmp_path: Path) -> None:
    link_site(tmp_path / "webrerank")
    leave_out(tmp_path / "webrerank")
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    (tmp_path / "example.js").write_text(example("js"), encoding="utf-8")
    server = make_server(tmp_path, "127.0.0.1", 0)
    server.start()
    try:
        page = open_page("", base=server.url)
        with page.expect_console_message(timeout=120_000) as told:
            page.evaluate("import('./example.js').then(() => {})")
        document, score = (argument.json_value() for argument in told.value.args)
        page.close()
    finally:
        server.stop()
    assert (document, score) == (ANSWER, SCORE)


def test_in_python() -> None:
    result = subprocess.run(
        [sys.executable, "-c", example("python")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "py_src")},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert result.returncode == 0, result.stderr
    first, second = (line.split(" ", 1) for line in result.stdout.splitlines())
    assert float(first[0]) == SCORE and first[1] == ANSWER
    assert float(second[0]) < 0.1
