"""Files that are too large for a host are published in pieces; web/workers/pieces.js joins them.

A piece has a part of its sha256 in its name, so that pieces of two releases cannot be mixed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tools import BuildError
from tools.folders import walk

#: What the browser itself fetches (scripts, styles, the page) must be whole.
FETCHED_WHOLE = (".js", ".mjs", ".css", ".html", ".svg", ".webmanifest")

MB = 1_000_000

#: A piece is checked before any of it is used: what arrives in two minutes on a line of 150 kbit/s,
#: MB. Longer, and the worker that waits for it would be taken for dead.
PIECE_MB = 2


@dataclass(frozen=True)
class Piece:
    """One piece of a file; its path is from dist/."""

    path: str
    bytes: int
    sha256: str


def cut_large_files(dist: Path, limit_mb: int) -> dict[str, list[Piece]]:
    """Replace each file of more than `limit_mb` MB (10^6 bytes) by pieces.

    Returns:
        the pieces of each file, by its path in dist/.
    """
    large = [path for path in walk(dist) if path.stat().st_size > limit_mb * MB]
    whole = [path for path in large if path.suffix in FETCHED_WHOLE]
    if whole:
        least = max(path.stat().st_size for path in whole) // MB + 1
        raise BuildError(
            f"--max-file-mb {limit_mb} is too little: {whole[0].name} is a script, which cannot be "
            f"published in pieces. The least that works is --max-file-mb {least}."
        )
    return {path.relative_to(dist).as_posix(): _cut(dist, path) for path in large}


def _cut(dist: Path, path: Path) -> list[Piece]:
    pieces = []
    for number, content in enumerate(_contents(path), start=1):
        digest = sha256(content).hexdigest()
        piece = path.with_name(f"{path.name}.{number}-{digest[:12]}.piece")
        piece.write_bytes(content)
        pieces.append(Piece(piece.relative_to(dist).as_posix(), len(content), digest))
    path.unlink()
    return pieces


def _contents(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while content := file.read(PIECE_MB * MB):
            yield content
