"""Assemble dist/ from web/, the Python package and the third-party parts.

It is put together beside dist/ and swapped in whole: on any failure the old dist/ stays.
"""

import hashlib
import json
import re
import shutil
import tempfile
from functools import partial
from pathlib import Path

from tools import BuildError
from tools.assets import Cache, Part, default_cache_folder, load_parts, sha256_of
from tools.compress import compress
from tools.environment import Environment
from tools.fetch import download
from tools.folders import folder_bytes, input_stamp, is_whole, remove_leftovers, swap, walk
from tools.notices import third_party_notices
from tools.pieces import cut_large_files
from tools.precompile import precompile
from tools.release import (
    UNNAMED,
    name_release,
    name_vendor_folders,
    place_of,
    write_site_script,
)
from tools.run import last_words, run_quietly

#: While dist/ is being put together; see tools/release.py.
PYODIDE = f"vendor/pyodide/{UNNAMED}"
WHEELS = f"release/{UNNAMED}/python"

LOCK_PATH = "vendor/pyodide/pyodide-lock.json"
MODEL_CONFIG_PATH = "models/ms-marco-MiniLM-L-12-v2/config.json"

#: The entries of Pyodide's lock file that are kept: the wheels that ship.
LOCKED_PACKAGES = ("micropip", "numpy", "packaging")

#: Not listed in files.json: itself; the service worker, which the browser fetches by itself; and
#: what a host may keep to itself.
UNLISTED = ("files.json", "sw.js", "_headers")

#: The earliest time a zip file can hold, 1980-01-01, in seconds: equal sources, equal bytes.
WHEEL_EPOCH_SECONDS = 315532800


def build_site(root: Path, max_file_mb: int | None = None) -> None:
    """Bring dist/ up to date; quick when it is.

    Args:
        max_file_mb: publish larger files in pieces (10^6 bytes).
    """
    stamp_file = root / ".build" / "stamp"
    stamp = f"{input_stamp(root)} {max_file_mb}"
    if stamp_file.exists() and stamp_file.read_text() == stamp and is_whole(root / "dist"):
        print("dist/ is up to date", flush=True)
        return
    stamp_file.parent.mkdir(exist_ok=True)
    remove_leftovers(stamp_file.parent)
    with tempfile.TemporaryDirectory(dir=stamp_file.parent, prefix="new-") as name:
        fresh = Path(name) / "dist"
        sizes = assemble(root, fresh, max_file_mb)
        stamp_file.unlink(missing_ok=True)
        swap(fresh, root / "dist", Path(name) / "old")
    stamp_file.write_text(stamp)
    print_sizes(sizes)


def assemble(root: Path, dist: Path, max_file_mb: int | None = None) -> dict[str, int]:
    """Fetch what is missing and write a new `dist`; the result is the bytes of each part."""
    python = Environment(root).ensure("build")
    parts = load_parts(root / "assets.toml")
    cache = Cache(default_cache_folder())
    cache.ensure([file for part in parts for file in part.files], partial(download, python=python))
    return Assembly(root, dist, parts, cache).run(python, max_file_mb)


class Assembly:
    """One dist/ in the making; `run` writes it and returns the bytes of each part."""

    def __init__(self, root: Path, dist: Path, parts: list[Part], cache: Cache) -> None:
        self.root = root
        self.dist = dist
        self.parts = parts
        self.cache = cache
        self.cached = {file.path: cache.path(file) for part in parts for file in part.files}

    def run(self, python: Path, max_file_mb: int | None = None) -> dict[str, int]:
        print("assembling dist/ ...", flush=True)
        self._copy_web()
        sizes = {"web": folder_bytes(self.dist)}
        self._copy_parts()
        package = self.root / "py_src" / "webrerank"
        precompile(self.dist / PYODIDE, self.cache.folder, package)
        version = package_version(self.root)
        build_wheel(self.root, python, self.dist / WHEELS, version)
        sizes |= self._part_sizes()
        self._write("THIRD_PARTY_NOTICES.txt", third_party_notices(self.parts, self._locate))
        shutil.copyfile(self.root / "LICENSE", self.dist / "LICENSE")
        total = folder_bytes(self.dist)
        vendor = name_vendor_folders(self.dist)
        pieces = cut_large_files(self.dist, max_file_mb) if max_file_mb else {}
        write_site_script(self.dist, vendor, pieces)
        name_release(self.dist)
        self._write("files.json", json.dumps(self._listing(version), indent=1) + "\n")
        compress(self.dist, self.cache.folder)
        return sizes | {"webrerank wheel, notices": total - sum(sizes.values()), "dist/": total}

    def _part_sizes(self) -> dict[str, int]:
        return {
            f"{part.name} {part.version}": sum(
                (self.dist / place_of(path)).stat().st_size for path in paths
            )
            for part in self.parts
            if (paths := [file.path for file in part.files if ships(file.path)])
        }

    def _copy_web(self) -> None:
        web = self.root / "web"
        if not (web / "index.html").is_file():
            raise BuildError(
                "web/index.html is missing: restore it, for example with git checkout."
            )
        for source in walk(web):
            relative = source.relative_to(web)
            if belongs_in_dist(relative):
                self._copy(source, relative.as_posix())

    def _copy_parts(self) -> None:
        lock = trimmed_lock(self.cached[LOCK_PATH], self.parts)
        for path, source in self.cached.items():
            if not ships(path):
                continue
            if (self.dist / place_of(path)).exists():
                raise BuildError(f"web/{path} is in the way of a third-party file: remove it.")
            self._copy(source, path)
        self._write(place_of(LOCK_PATH), lock)
        shutil.copyfile(self.root / "tools" / "model-config.json", self.dist / MODEL_CONFIG_PATH)

    def _copy(self, source: Path, path: str) -> None:
        target = self.dist / place_of(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)

    def _locate(self, path: str) -> Path:
        return self.cached.get(path, self.root / path)

    def _write(self, path: str, text: str) -> None:
        (self.dist / path).write_text(text, encoding="utf-8", newline="\n")

    def _listing(self, version: str) -> dict[str, object]:
        """What files.json says: the service worker verifies and keeps these files."""
        files = [
            {"path": path, "bytes": (self.dist / path).stat().st_size, "sha256": digest}
            for path, digest in sorted(
                (source.relative_to(self.dist).as_posix(), sha256_of(source))
                for source in walk(self.dist)
            )
            if path not in UNLISTED
        ]
        build = hashlib.sha256(json.dumps(files).encode()).hexdigest()[:12]
        return {"version": version, "build": build, "files": files}


def ships(path: str) -> bool:
    """Whether a path of assets.toml is a place in dist/; licence texts only go into the notices."""
    return not path.startswith("licences/")


def belongs_in_dist(relative: Path) -> bool:
    """Whether a file of web/ ships: not the type stubs and settings that only the checks read."""
    if any(part.startswith(".") for part in relative.parts):
        return False
    if relative.name.startswith("tsconfig") and relative.suffix == ".json":
        return False
    return not (relative.parts[0] == "vendor" and relative.name.endswith(".d.ts"))


def trimmed_lock(lock_file: Path, parts: list[Part]) -> str:
    """Cut Pyodide's lock file down to what ships, after asserting that it pins the same bytes."""
    lock = json.loads(lock_file.read_text(encoding="utf-8"))
    lock["packages"] = {name: lock["packages"][name] for name in LOCKED_PACKAGES}
    pinned = {file.path: file.sha256 for part in parts for file in part.files}
    for name, entry in lock["packages"].items():
        if pinned.get(f"vendor/pyodide/{entry['file_name']}") != entry["sha256"]:
            raise BuildError(
                f"assets.toml and Pyodide's lock file disagree about {name}: take the file name "
                f"{entry['file_name']} and the sha256 from the lock file."
            )
    return json.dumps(lock, indent=1) + "\n"


def package_version(root: Path) -> str:
    """Read `__version__` of the Python package without importing it."""
    path = root / "py_src" / "webrerank" / "__init__.py"
    try:
        match = re.search(r'^__version__ = "([^"]+)"', path.read_text(encoding="utf-8"), re.M)
    except OSError:
        match = None
    if match is None:
        raise BuildError(
            'py_src/webrerank/__init__.py has no line __version__ = "...": restore it.'
        )
    return match[1]


def build_wheel(root: Path, python: Path, folder: Path, version: str) -> None:
    """Build the Python package into `folder`; the same sources always give the same bytes."""
    command = [str(python), "-m", "hatchling", "build", "--target=wheel", f"--directory={folder}"]
    settings = {"SOURCE_DATE_EPOCH": str(WHEEL_EPOCH_SECONDS), "WEBRERANK_SITE": "1"}
    result = run_quietly(command, root, settings)
    if result.returncode != 0 or not (folder / f"webrerank-{version}-py3-none-any.whl").exists():
        raise BuildError(
            f"could not build the Python package (hatchling said: {last_words(result)})."
        )


def print_sizes(sizes: dict[str, int]) -> None:
    """Print the table of sizes."""
    for name, size in sizes.items():
        print(f"{name:<32}{size / 1e6:8.2f} MB")
