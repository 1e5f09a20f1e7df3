"""Compressed copies beside the files of dist/, for hosts that send them (brotli, gzip).

Kept in the cache by the sha256 of the file, so that a rebuild compresses only what changed.
"""

import shutil
from pathlib import Path

from tools import BuildError
from tools.assets import sha256_of
from tools.folders import walk
from tools.run import last_words, run_quietly

#: Compressed already.
PACKED = (".zip", ".whl", ".snapshot", ".png")

#: Smaller files gain nothing that a packet would notice, bytes.
LEAST_BYTES = 1024

SCRIPT = Path(__file__).with_name("compress.mjs")
SUFFIXES = (".br", ".gz")


def compress(dist: Path, cache: Path) -> None:
    """Write FILE.br and FILE.gz beside every file of `dist` that they make smaller."""
    made = cache / "compressed"
    made.mkdir(parents=True, exist_ok=True)
    files = {
        path: sha256_of(path)
        for path in walk(dist)
        if path.suffix not in PACKED and path.stat().st_size >= LEAST_BYTES
    }
    missing = {
        digest: path
        for path, digest in files.items()
        if not all((made / f"{digest}{suffix}").is_file() for suffix in SUFFIXES)
    }
    if missing:
        print(f"compressing {len(missing)} files ...", flush=True)
        jobs = [f"{digest}={path}" for digest, path in missing.items()]
        result = run_quietly(["node", str(SCRIPT), str(made), *jobs], dist)
        if result.returncode != 0:
            raise BuildError(f"could not compress dist/ (node said: {last_words(result)[:300]}).")
    for path, digest in files.items():
        for suffix in SUFFIXES:
            copy = made / f"{digest}{suffix}"
            if copy.stat().st_size < path.stat().st_size:
                shutil.copyfile(copy, path.with_name(path.name + suffix))
