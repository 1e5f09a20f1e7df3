"""The fast half of quality: format, lint, types, import rules. Every tool runs, so that one call
shows all there is to repair."""

import os
import subprocess
from pathlib import Path

from tools.environment import Environment, ensure_node_modules

#: Python sources that are checked, where present.
PYTHON_PATHS = ("build.py", "tools", "py_src", "tests", "bench")

#: Where pages and their scripts are.
PAGE_PATHS = ("web", "bench/pages", "tests/js")


#: Those that take a second or two.
FAST = ("ruff format", "ruff check", "prettier", "eslint")


def run_checks(root: Path, fast: bool = False) -> int:
    """Run every check, or those of FAST, and return 1 if any of them failed."""
    python = Environment(root).ensure("check")
    ensure_node_modules(root)
    commands = [one for one in _commands(root, python) if not fast or one[0] in FAST]
    failed = [name for name, command in commands if not _passes(name, command, root)]
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed", flush=True)
    return 1 if failed else 0


def _commands(root: Path, python: Path) -> list[tuple[str, list[str]]]:
    module = [str(python), "-m"]
    paths = [path for path in PYTHON_PATHS if (root / path).exists()]
    commands = [
        ("ruff format", [*module, "ruff", "format", "--check", *paths]),
        ("ruff check", [*module, "ruff", "check", *paths]),
        ("mypy", [*module, "mypy", *paths]),
    ]
    if (root / "web").is_dir():
        commands += [
            ("prettier", [_bin(root, "prettier"), "--check", "--log-level=warn", *PAGE_PATHS]),
            ("eslint", [_bin(root, "eslint"), *PAGE_PATHS]),
            ("tsc, pages", [_bin(root, "tsc"), "--project", "tsconfig.json"]),
        ]
    if (root / "web" / "workers").is_dir():
        commands.append(("tsc, workers", [_bin(root, "tsc"), "--project", "tsconfig.workers.json"]))
    if (root / "tests" / "repo").is_dir():
        commands.append(("import rules", [*module, "pytest", "-q", "tests/repo"]))
    return commands


def _bin(root: Path, name: str) -> str:
    return str(root / "node_modules" / ".bin" / (f"{name}.cmd" if os.name == "nt" else name))


def _passes(name: str, command: list[str], root: Path) -> bool:
    print(f"{name} ...", flush=True)
    return subprocess.run(command, cwd=root, check=False).returncode == 0
