"""Change the product in small ways, and show each change that no quick test notices. Run by
`python build.py mutate`. What cannot be noticed is listed in tools/mutate/accepted.toml."""

import argparse
import os
import sys
import time
from functools import cached_property
from pathlib import Path
from random import Random

from tools import BuildError
from tools.mutate.javascript import JavaScriptRuns, javascript_mutants
from tools.mutate.mutant import Mutant, accepted
from tools.mutate.python_mutants import python_mutants
from tools.mutate.python_runs import PythonRuns

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "py_src" / "webrerank"

#: What is in them is no logic of the core, or needs a browser.
NOT_CORE = {"__init__.py", "worker_api.py", "ports.py"}


#: What tests/js is about: all that keeps a call from hanging.
SCRIPTS = ("web/lib/worker-client.js", "web/lib/engine.js", "web/workers/session-port.js")


def mutants_of(path: Path) -> list[Mutant]:
    name = path.relative_to(ROOT).as_posix()
    make = python_mutants if path.suffix == ".py" else javascript_mutants
    return make(path.read_text(encoding="utf-8"), name)


class Runs:
    """Gives a verdict on mutants of both languages; what is not needed is not started."""

    @cached_property
    def python(self) -> PythonRuns:
        return PythonRuns()

    @cached_property
    def javascript(self) -> JavaScriptRuns:
        return JavaScriptRuns()

    def survives(self, mutant: Mutant) -> bool:
        runs = self.python if mutant.file.endswith(".py") else self.javascript
        return runs.survives(mutant)


def default_files() -> list[Path]:
    """The core, and the JavaScript that tests/js is about."""
    core = [path for path in sorted(CORE.glob("*.py")) if path.name not in NOT_CORE]
    scripts = [ROOT / name for name in SCRIPTS] if (ROOT / "tests" / "js").is_dir() else []
    return core + scripts


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="build.py mutate", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="default: the core")
    parser.add_argument("--minutes", type=float, default=30, help="how long; default 30")
    parser.add_argument("--seed", default="0", help="in which order mutants are tried")
    return parser.parse_args()


def gone(known: dict[str, str], mutants: list[Mutant]) -> list[str]:
    """Accepted changes of these files that cannot be made any more: their lines have changed."""
    files = {mutant.file for mutant in mutants}
    left = set(known) - {mutant.key for mutant in mutants}
    return sorted(key for key in left if key.partition(" ")[0] in files)


def main() -> int:
    options = parse_arguments()
    files = [path.resolve() for path in options.files]
    mutants = [mutant for path in files or default_files() for mutant in mutants_of(path)]
    known = accepted()
    to_run = [mutant for mutant in mutants if mutant.key not in known]
    for key in gone(known, mutants):
        print(f"accepted, but no mutant any more: {key}")
    Random(options.seed).shuffle(to_run)  # so that a short run is a fair sample
    runs = Runs()
    ends = time.monotonic() + options.minutes * 60
    tried = survived = 0
    for mutant in to_run:
        if time.monotonic() > ends:
            break
        tried += 1
        if runs.survives(mutant):
            survived += 1
            print(f"survives: {mutant.file}:{mutant.line}\n  {mutant.key}", flush=True)
    print(
        f"{len(mutants)} mutants, {len(mutants) - len(to_run)} accepted; {tried} tried, "
        f"{tried - survived} noticed, {survived} survived"
    )
    return 1 if survived else 0


if __name__ == "__main__":
    os.chdir(ROOT)
    try:
        sys.exit(main())
    except BuildError as error:
        sys.exit(f"build.py mutate: {error}")
