"""The project's own `.venv` and `node_modules`: made once, reused while nothing changed."""

import os
import sys
import threading
import tomllib
import webbrowser
from pathlib import Path

from tools import BuildError
from tools.run import last_words, run_quietly


class Environment:
    """`.venv` with groups of requirements, each installed when first asked for.

    A stamp per group holds the exact requirements, so a changed pyproject.toml installs again
    and an interrupted installation is not mistaken for a finished one.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        scripts = "Scripts/python.exe" if os.name == "nt" else "bin/python"
        self.python = self.folder / scripts

    def ensure(self, group: str) -> Path:
        """Return the Python of `.venv` with the group "build", "test", "check" or "bench"
        installed."""
        self._ensure_created()
        wanted = "\n".join(requirements(self.root, group))
        stamp = self.folder / f".webrerank-{group}"
        if _read(stamp) == wanted:
            return self.python
        print(f"installing the Python packages of `{group}` into .venv ...", flush=True)
        command = [str(self.python), "-m", "pip", "install", "--quiet", "--retries=2"]
        result = run_quietly([*command, *wanted.splitlines()], self.root)
        if result.returncode != 0:
            raise BuildError(
                "could not install Python packages: check the network connection and pip's index "
                f"setting, then run again (pip said: {last_words(result)})."
            )
        stamp.write_text(wanted, encoding="utf-8")
        return self.python

    def _ensure_created(self) -> None:
        stamp = self.folder / ".webrerank-python"
        wanted = f"{sys.version_info.major}.{sys.version_info.minor}"
        if _read(stamp) == wanted and self.python.exists():
            return
        print("making .venv ...", flush=True)
        result = run_quietly([sys.executable, "-m", "venv", "--clear", str(self.folder)], self.root)
        if result.returncode != 0:
            raise BuildError(
                "could not make .venv: install Python's venv module (on Debian: apt-get install "
                f"python3-venv) and run again (venv said: {last_words(result)})."
            )
        stamp.write_text(wanted, encoding="utf-8")


def requirements(root: Path, group: str) -> list[str]:
    """Read from pyproject.toml what a group needs; "check" has "test" too, for mypy."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    build: list[str] = project["build-system"]["requires"]
    if group == "build":
        return build
    extras: dict[str, list[str]] = project["project"]["optional-dependencies"]
    test = [*build, *project["project"]["dependencies"], *extras["native"], *extras["test"]]
    return test if group == "test" else test + extras[group]


def ensure_node_modules(folder: Path) -> None:
    """Install the pinned npm packages of a folder unless its lock file is unchanged."""
    stamp = folder / "node_modules" / ".webrerank-lock"
    wanted = (folder / "package-lock.json").read_text(encoding="utf-8")
    if _read(stamp) == wanted:
        return
    print(f"installing npm packages into {folder / 'node_modules'} ...", flush=True)
    result = run_quietly(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
    if result.returncode != 0:
        raise BuildError(
            "could not install npm packages: check the network connection and npm's registry "
            f"setting, then run again (npm said: {last_words(result)})."
        )
    stamp.write_text(wanted, encoding="utf-8")


def open_page(url: str) -> None:
    """Open the user's browser if there is a desktop; text browsers would take over the terminal."""
    desktop = any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if desktop or sys.platform in ("darwin", "win32"):
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None
