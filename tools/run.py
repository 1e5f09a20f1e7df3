"""Run other programs, and say plainly what is missing when they cannot run."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools import BuildError

#: What to do when a program is not there; others are named without advice.
ADVICE = {
    "node": "install Node.js 20 or newer",
    "npm": "install Node.js 20 or newer with npm",
}


def tool_path(name: str) -> str:
    """Return the full path of a program on PATH (on Windows that finds `npm.cmd`).

    Raises:
        BuildError: if it is not installed.
    """
    path = shutil.which(name)
    if path is None:
        raise BuildError(f"{name} was not found: {ADVICE.get(name, 'install it')} and run again.")
    return path


def run_quietly(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program with its output kept back; the caller decides what a failure means."""
    return subprocess.run(
        [tool_path(command[0]), *command[1:]],
        cwd=folder,
        env=None if environment is None else os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def last_words(result: subprocess.CompletedProcess[str]) -> str:
    """The most telling line of a failed program: the first that says "error", else the last."""
    lines = [line.strip() for line in (result.stderr + "\n" + result.stdout).splitlines()]
    lines = [line for line in lines if line and not line.lower().startswith("warning")]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines[-1:] or [f"exit code {result.returncode}"])[0].rstrip(".")
