"""Ranking quality as trec_eval defines it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2


def ndcg(ranked_ids: Sequence[str], grades: Mapping[str, int], depth: int = 10) -> float:
    """nDCG with linear gain; the ideal is made of all judged documents, retrieved or not."""
    gains = [max(grades.get(key, 0), 0) for key in ranked_ids[:depth]]
    ideal = sorted((max(grade, 0) for grade in grades.values()), reverse=True)[:depth]
    best = _dcg(ideal)
    return _dcg(gains) / best if best else 0.0


def reciprocal_rank(
    ranked_ids: Sequence[str], grades: Mapping[str, int], least: int, depth: int = 10
) -> float:
    """1 / rank of the first document with at least the grade `least`; 0 if none is in reach."""
    for rank, key in enumerate(ranked_ids[:depth], start=1):
        if grades.get(key, 0) >= least:
            return 1 / rank
    return 0.0


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, start=1))
