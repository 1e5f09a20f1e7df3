"""Reads a collection of queries and documents, as it lies in shared/ir."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Collection:
    """Texts by their id, and per query the ids of its candidate documents."""

    queries: dict[str, str]
    documents: dict[str, str]
    candidates: dict[str, list[str]]


def read_collection(folder: Path) -> Collection:
    candidates: dict[str, list[str]] = {}
    for line in _lines(folder / "candidates.tsv"):
        query_id, document_id, *_ = line.split("\t")
        candidates.setdefault(query_id, []).append(document_id)
    return Collection(_texts(folder / "queries.jsonl"), _texts(folder / "corpus.jsonl"), candidates)


def _texts(path: Path) -> dict[str, str]:
    rows: list[dict[str, Any]] = [json.loads(line) for line in _lines(path)]
    return {row["id"]: f"{row.get('title', '')} {row['text']}".strip() for row in rows}


def _lines(path: Path) -> list[str]:
    # Not splitlines: a text may hold U+2028.
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line]
