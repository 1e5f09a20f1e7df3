"""A case: what was changed of which good thing, as JSON that anyone can read, run again and cut."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Protocol

#: One change, as JSON: a verb and its arguments.
Edit = list[Any]


@dataclass(frozen=True)
class Case:
    """One input of the product.

    Attributes:
        kind: which part of the product it is for.
        base: the good thing that is changed.
        edits: what is changed, in order.
        wrong: what was seen when it failed.
    """

    kind: str
    base: str
    edits: list[Edit]
    wrong: str = ""

    def save(self, folder: Path) -> Path:
        """Write it to a file named by its content."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self), indent=1)
        path = folder / f"{self.kind}-{hash_of(text)}.json"
        path.write_text(text + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, path: Path) -> Case:
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    @property
    def family(self) -> str:
        """Failures that look alike: the same words, whatever numbers are in them."""
        return f"{self.kind}: {re.sub(r'[0-9]+', '#', self.wrong)[:120]}"


class Kind(Protocol):
    """A part of the product, and how to try it."""

    def make(self, rng: Random) -> Case:
        """Think of a case."""

    def run(self, case: Case) -> str:
        """Run a case; gives what is wrong, '' if nothing."""


def hash_of(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]


def minimise(case: Case, kind: Kind) -> Case:
    """Leave out edits, one at a time, as long as it fails alike."""
    place = 0
    while place < len(case.edits) and len(case.edits) > 1:
        fewer = replace(case, edits=case.edits[:place] + case.edits[place + 1 :])
        tried = replace(fewer, wrong=kind.run(fewer))
        if tried.wrong and tried.family == case.family:
            case = tried
        else:
            place += 1
    return case
