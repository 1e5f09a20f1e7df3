"""Make Python start fast: .pyc instead of .py, and a memory snapshot of a booted interpreter.

Most of Pyodide's start is compiling Python source. Both products are made by the pinned Pyodide
itself, from bytes already verified, and kept in the cache by the hash of what they are made from.
"""

import ast
import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

from tools import BuildError
from tools.assets import sha256_of
from tools.run import last_words, run_quietly

SNAPSHOT = "python.snapshot"
SCRIPT = Path(__file__).with_name("precompile.mjs")


def precompile(pyodide: Path, cache: Path, package: Path) -> None:
    """Replace the standard library and the locked wheels in `pyodide`, and add the snapshot.

    Of the standard library only what `package` (our own) and the wheels use is kept.
    """
    modules = ",".join(imported_modules(package))
    lock_file = pyodide / "pyodide-lock.json"
    lock = json.loads(lock_file.read_text(encoding="utf-8"))
    wheels = [entry["file_name"] for entry in lock["packages"].values()]
    products = [*wheels, "python_stdlib.zip", SNAPSHOT]
    made = cache / "precompiled" / _fingerprint(pyodide, [*wheels, "python_stdlib.zip"], modules)
    if not all((made / name).is_file() for name in products):
        print("compiling the Python standard library and numpy ...", flush=True)
        _make(pyodide, made, modules, wheels)
    for name in products:
        shutil.copyfile(made / name, pyodide / name)
    for entry in lock["packages"].values():
        entry["sha256"] = sha256_of(pyodide / entry["file_name"])
    lock_file.write_text(json.dumps(lock, indent=1) + "\n", encoding="utf-8", newline="\n")


def _make(pyodide: Path, made: Path, modules: str, wheels: list[str]) -> None:
    made.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=made.parent, prefix="new-") as name:
        fresh = Path(name) / "made"
        fresh.mkdir()
        sources = [str(pyodide / wheel) for wheel in wheels]
        command = ["node", str(SCRIPT), str(pyodide), str(fresh), modules, *sources]
        result = run_quietly(command, pyodide)
        if result.returncode != 0 or not (fresh / SNAPSHOT).is_file():
            raise BuildError(
                "could not compile Python for the browser: is Node 20 or newer? "
                f"(node said: {last_words(result)[:300]})"
            )
        shutil.rmtree(made, ignore_errors=True)
        fresh.rename(made)


def imported_modules(package: Path) -> list[str]:
    """The standard library modules that the package's source files name in their imports."""
    names: set[str] = set()
    for path in package.rglob("*.py"):
        if path.stem == "native":  # never imported in the browser
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    return sorted(names & sys.stdlib_module_names)


def _fingerprint(pyodide: Path, names: list[str], modules: str) -> str:
    inputs = [SCRIPT, pyodide / "pyodide.asm.wasm", pyodide / "pyodide.asm.mjs"]
    digests = [sha256_of(path) for path in [*inputs, *(pyodide / name for name in names)]]
    return hashlib.sha256("".join([modules, *digests]).encode()).hexdigest()
