"""What the README says of speed is what the committed bench measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LATEST = (ROOT / "bench" / "results" / "latest.md").read_text(encoding="utf-8")

#: A row of the README's table, and the bench's name for it.
PEERS = {
    "webrerank": "webrerank",
    "Transformers.js, as its documentation shows": "transformers.js",
    "Transformers.js, tuned by hand: threads, batches, sorted": "transformers.js, tuned",
    "LocalMode": "LocalMode",
    "native onnxruntime, two threads, with AMX and VNNI": "native onnxruntime",
}
COLUMNS = ("trec-dl2019, 100 documents", "noveleval, 50 documents")


def measured(column: str, peer: str) -> float:
    section = LATEST.partition(f"## {column}")[2].partition("\n## ")[0]
    (ratio,) = re.findall(rf"^\| {re.escape(peer)} \| [^|]+ \| ([\d.]+) \|$", section, re.MULTILINE)
    return float(ratio)


@pytest.mark.parametrize("row", PEERS)
def test_a_row_of_the_table(row: str) -> None:
    (cells,) = re.findall(rf"^\| {re.escape(row)} \| (.+) \|$", README, re.MULTILINE)
    for column, cell in zip(COLUMNS, cells.split(" | "), strict=True):
        digits = len(cell.partition(".")[2])
        assert float(cell) == round(measured(column, PEERS[row]), digits), column


def test_the_first_list() -> None:
    (said,) = re.findall(r"it takes ([\d.]+) of the time of\s+Transformers\.js", README)
    (found,) = re.findall(r"first ranked list of 10, webrerank \| [^|]+ \| ([\d.]+) ", LATEST)
    assert said == found
