"""Files and folders of the build: what is there, what changed, and swapping a folder in whole."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from tools import BuildError
from tools.assets import sha256_of

#: What decides the content of dist/. A change in any of it means a new build.
INPUTS = (
    *("web", "py_src", "tools", "assets.toml", "build.py", "pyproject.toml", "LICENSE"),
    "README.md",  # is in the wheel
)

#: A scratch folder this old was left by a build that was killed.
LEFTOVER_AGE_S = 3600


def swap(fresh: Path, dist: Path, old: Path) -> None:
    """Put `fresh` in the place of `dist`; if that fails, the old one is put back."""
    try:
        if dist.exists():
            os.replace(dist, old)
        os.replace(fresh, dist)
    except BaseException as error:
        if old.exists() and not dist.exists():
            os.replace(old, dist)
        if isinstance(error, OSError):
            raise BuildError(
                f"cannot replace dist/: close what uses it and run again ({error.strerror})."
            ) from error
        raise


def is_whole(dist: Path) -> bool:
    """Whether every file that files.json lists is there with its size."""
    try:
        files = json.loads((dist / "files.json").read_text(encoding="utf-8"))["files"]
        return all((dist / file["path"]).stat().st_size == file["bytes"] for file in files)
    except (OSError, ValueError):
        return False


def input_stamp(root: Path) -> str:
    """A hash over the names and bytes of everything dist/ is made from."""
    digest = hashlib.sha256()
    for name in INPUTS:
        path = root / name
        for file in [path] if path.is_file() else walk(path):
            digest.update(f"{file.relative_to(root).as_posix()}\0{sha256_of(file)}\n".encode())
    return digest.hexdigest()


def walk(folder: Path) -> Iterator[Path]:
    """All files below a folder in a fixed order, without Python's own caches."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def folder_bytes(folder: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(path.stat().st_size for path in walk(folder))


def remove_leftovers(scratch: Path) -> None:
    """Remove what killed builds left behind, but not what another build may be using."""
    for path in scratch.glob("new-*"):
        if time.time() - path.stat().st_mtime > LEFTOVER_AGE_S:
            shutil.rmtree(path, ignore_errors=True)
