"""The test collections: queries, passages, first-stage candidates and judgements."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import BuildError

#: Beside the repository, since their licences do not let us pass them on.
IR = Path(__file__).resolve().parents[2] / "shared" / "ir"


@dataclass(frozen=True)
class Candidates:
    """One query and its first-stage list, best first."""

    query_id: str
    query: str
    document_ids: list[str]
    documents: list[str]


@dataclass(frozen=True)
class Collection:
    """One test collection in memory."""

    name: str
    candidates: list[Candidates]
    grades: dict[str, dict[str, int]]  #: by query id and document id
    least_relevant: int  #: the grade from which a document counts as relevant for MRR


def load_trec_dl2019() -> Collection:
    """Official BM25 over the whole MS MARCO passages, all NIST judgements."""
    return _load("trec-dl2019", "candidates_fullbm25.tsv", "qrels_full.tsv", 2)


def load_noveleval() -> Collection:
    """Questions on events of 2023; longer passages."""
    return _load("noveleval", "candidates.tsv", "qrels.tsv", 1)


def _load(name: str, candidates_file: str, qrels_file: str, least_relevant: int) -> Collection:
    folder = IR / name
    if not folder.is_dir():
        raise BuildError(
            f"the test collection {name} is not in {IR}: put it there and run again "
            "(its README.md says where it comes from)."
        )
    queries = {row["id"]: row["text"] for row in _json_lines(folder / "queries.jsonl")}
    texts = {
        row["id"]: f"{row['title']} {row['text']}".strip()
        for row in _json_lines(folder / "corpus.jsonl")
    }
    lists: dict[str, list[str]] = {}
    for query_id, document_id, *_ in _rows(folder / candidates_file):
        lists.setdefault(query_id, []).append(document_id)
    grades: dict[str, dict[str, int]] = {}
    for query_id, document_id, grade in _rows(folder / qrels_file):
        grades.setdefault(query_id, {})[document_id] = int(grade)
    candidates = [
        Candidates(query_id, queries[query_id], ids, [texts[key] for key in ids])
        for query_id, ids in lists.items()
    ]
    return Collection(name, candidates, grades, least_relevant)


def _json_lines(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield line.rstrip("\n").split("\t")
