"""The third-party files that ship: assets.toml, and a cache of their verified bytes."""

import hashlib
import os
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import BuildError
from tools.fetch import FetchError, Package, Source, extract, parse_source

Download = Callable[[Package, Path], Path]


@dataclass(frozen=True)
class AssetFile:
    """One file: where it goes, what it must be, where it can be had (best first)."""

    path: str
    size: int
    sha256: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Part:
    """One piece of third-party software or data, with its licence."""

    name: str
    version: str
    licence: str
    copyright: str
    notices: tuple[str, ...]
    files: tuple[AssetFile, ...]


def load_parts(path: Path) -> list[Part]:
    """Read assets.toml."""
    parts: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["parts"]
    return [
        Part(
            **part | {"notices": tuple(part["notices"]), "files": tuple(map(_file, part["files"]))}
        )
        for part in parts
    ]


def _file(entry: dict[str, Any]) -> AssetFile:
    return AssetFile(**entry | {"sources": tuple(map(parse_source, entry["sources"]))})


def default_cache_folder() -> Path:
    """WEBRERANK_CACHE, else `webrerank` in the platform's folder for caches."""
    if chosen := os.environ.get("WEBRERANK_CACHE"):
        return Path(chosen).expanduser().resolve()
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "webrerank"


class Cache:
    """Files by their sha256. A file is moved in whole, after its bytes were verified."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, file: AssetFile) -> Path:
        """Where the bytes of a file are, or will be."""
        return self.folder / file.sha256

    def ensure(self, files: Iterable[AssetFile], get: Download) -> None:
        """Have every file in the cache, fetching what is missing or damaged.

        Raises:
            BuildError: if a file cannot be had, or has other bytes than assets.toml says.
        """
        missing = [file for file in files if not self._is_intact(file)]
        attempt = 0
        while any(attempt < len(file.sources) for file in missing):
            for package, wanted in _by_package(missing, attempt).items():
                try:
                    self._fetch(package, wanted, get)
                except FetchError:
                    if any(len(file.sources) == attempt + 1 for _, file in wanted):
                        raise
            missing = [file for file in missing if not self._is_intact(file)]
            attempt += 1
        if missing:
            raise BuildError(f"assets.toml names no source for {missing[0].path}: add one.")

    def _fetch(self, package: Package, wanted: list[tuple[str, AssetFile]], get: Download) -> None:
        self._make_folder()
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="fetching-") as name:
            folder = Path(name)
            download_folder = folder / "download"
            download_folder.mkdir()
            archive = get(package, download_folder)
            for member, file in wanted:
                fresh = folder / "member"
                extract(archive, member, fresh)
                if sha256_of(fresh) != file.sha256:
                    raise BuildError(
                        f"{member} of {package.name} {package.version} is not the file that "
                        f"assets.toml names (its sha256 differs), so it was thrown away: run "
                        "again, and if that does not help, do not trust this source."
                    )
                os.replace(fresh, self.path(file))

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BuildError(
                f"cannot write the cache folder {self.folder}: set WEBRERANK_CACHE to a folder "
                f"that can be written ({error.strerror})."
            ) from error

    def _is_intact(self, file: AssetFile) -> bool:
        path = self.path(file)
        try:
            return path.stat().st_size == file.size and sha256_of(path) == file.sha256
        except OSError:
            return False


def _by_package(files: list[AssetFile], attempt: int) -> dict[Package, list[tuple[str, AssetFile]]]:
    """Group files by the package of their source number `attempt`: each is fetched once."""
    groups: dict[Package, list[tuple[str, AssetFile]]] = {}
    for file in files:
        if attempt < len(file.sources):
            source = file.sources[attempt]
            groups.setdefault(source.package, []).append((source.member, file))
    return groups


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
