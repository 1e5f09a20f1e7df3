"""Mutants of the library's JavaScript, and the tests of tests/js on them."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools import BuildError
from tools.mutate.mutant import Mutant, make_mutant
from tools.run import tool_path

ROOT = Path(__file__).resolve().parents[2]
FINDER = Path(__file__).with_name("javascript_mutants.mjs")

#: Seconds all tests take at most.
MOST_SECONDS = 120


def javascript_mutants(text: str, file: str) -> list[Mutant]:
    """All changes of a file, in the order of their places."""
    command = [tool_path("node"), str(FINDER), file]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    made = [
        make_mutant(
            text, file, entry["place"], tuple(entry["lines"]), tuple(entry["span"]), entry["new"]
        )
        for entry in json.loads(output)
    ]
    return sorted({mutant.key: mutant for mutant in made}.values(), key=lambda it: it.start)


class JavaScriptRuns:
    """Runs tests/js on a copy of web/ with one mutant in it."""

    def __init__(self) -> None:
        self._holder = tempfile.TemporaryDirectory()
        self._root = Path(self._holder.name)
        shutil.copytree(ROOT / "web", self._root / "web")
        shutil.copytree(ROOT / "tests" / "js", self._root / "tests" / "js")
        shutil.copy(ROOT / "package.json", self._root)
        for name in ("node_modules", "dist"):
            (self._root / name).symlink_to(ROOT / name)
        if not self._passes():
            raise BuildError("tests/js fails as it is: mend that first.")

    def survives(self, mutant: Mutant) -> bool:
        """Whether no test notices it."""
        path = self._root / mutant.file
        text = path.read_text(encoding="utf-8")
        path.write_text(mutant.apply(text), encoding="utf-8")
        try:
            return self._passes()
        finally:
            path.write_text(text, encoding="utf-8")

    def _passes(self) -> bool:
        tests = sorted(str(path) for path in (self._root / "tests" / "js").rglob("*.test.*js"))
        command = [tool_path("node"), "--test", *tests]
        try:
            ran = subprocess.run(
                command, cwd=self._root, check=False, capture_output=True, timeout=MOST_SECONDS
            )
        except subprocess.TimeoutExpired:
            return False
        return ran.returncode == 0
