"""One small change of one file."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

#: Changes that no test can notice, each with the reason.
ACCEPTED = Path(__file__).with_name("accepted.toml")


@dataclass(frozen=True)
class Mutant:
    """What is put in place of a piece of a file.

    Attributes:
        file: path from the repository's root.
        place: the function or class it is in.
        line: the first line of the statement it is in, from 1.
        last: the statement's last line.
        start: where the piece begins, in characters.
        end: where it ends.
        new: what is put there.
        key: names it even after lines have moved.
    """

    file: str
    place: str
    line: int
    last: int
    start: int
    end: int
    new: str
    key: str

    def apply(self, text: str) -> str:
        return text[: self.start] + self.new + text[self.end :]


def make_mutant(
    text: str, file: str, place: str, lines: tuple[int, int], span: tuple[int, int], new: str
) -> Mutant:
    """Name a change by the line it is in, as it was and as it will be."""
    start, end = span
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end) % (len(text) + 1)
    before = " ".join(text[first:last].split())
    after = " ".join((text[first:start] + new + text[end:last]).split())
    key = f"{file} {place}: {before} -> {after}"
    return Mutant(file, place, *lines, start, end, new, key)


def accepted() -> dict[str, str]:
    """Keys of mutants that are as good as the original, and why."""
    entries = tomllib.loads(ACCEPTED.read_text(encoding="utf-8")).get("mutants", [])
    return {entry["key"]: entry["why"] for entry in entries}
