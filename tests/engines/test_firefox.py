"""A Firefox that does not start ends the tests with its own words, and does not hang them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.engines.firefox import find_address
from tests.engines.page import run_program

SAY = "import sys, time; print({!r}, file=sys.stderr, flush=True); time.sleep({})"
LISTENING = "WebDriver BiDi listening on ws://127.0.0.1:1"


def start(folder: Path, words: str, sleep_s: int, patience_s: float) -> str:
    """Wait for the address of a program that says these words and then sleeps."""
    said = folder / "stderr.txt"
    command = [sys.executable, "-c", SAY.format(words, sleep_s)]
    with said.open("w") as stderr, run_program(command, folder, stderr=stderr) as program:
        return find_address(program, said, patience_s)


def test_the_address_is_found_after_much_else(tmp_path: Path) -> None:
    words = "noise\n" * 12_000 + LISTENING  # more than a pipe holds
    assert start(tmp_path, words, 600, 60) == "ws://127.0.0.1:1"


@pytest.mark.parametrize(("sleep_s", "patience_s"), [(0, 60), (600, 1)], ids=["ends", "is silent"])
def test_without_an_address_its_words_are_told(
    tmp_path: Path, sleep_s: int, patience_s: float
) -> None:
    with pytest.raises(RuntimeError, match="did not start:\ncannot"):
        start(tmp_path, "cannot", sleep_s, patience_s)
