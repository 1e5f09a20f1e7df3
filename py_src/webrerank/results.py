"""What a rerank gives back. Plain data; every number is JSON-safe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RerankResult:
    """One document and its place.

    Attributes:
        index: place in the input, from 0.
        rank: place in the ranking, from 1; None in `on_result`, while others are still scored.
        score: in [0, 1]; 0 for a blank document.
        logit: the model's raw number; None for a blank document.
        document: the caller's own object, unchanged.
        truncated: True if not all of the document's tokens fitted into the pair.
        window: the part of a long document that won; None, as documents are not windowed yet.
    """

    index: int
    rank: int | None
    score: float
    logit: float | None
    document: Any
    truncated: bool
    window: tuple[int, int] | None = None


@dataclass(frozen=True)
class Usage:
    """What a call did: counts, and times in milliseconds.

    Attributes:
        documents: documents given.
        pairs: pairs the model scored in this call.
        cached: documents whose pair was scored before, in this call or an earlier one.
        tokens: tokens in those pairs, special tokens included, padding not.
        query_truncated: True if a long query lost tokens in any pair.
    """

    documents: int = 0
    pairs: int = 0
    cached: int = 0
    tokens: int = 0
    query_truncated: bool = False
    tokenize_ms: float = 0.0
    inference_ms: float = 0.0
    total_ms: float = 0.0


@dataclass(frozen=True)
class RuntimeInfo:
    """What really runs: the model, where, in which precision, on how many sessions.

    Attributes:
        fallback: why it is not what was asked for; None if it is.
    """

    model: str
    device: str
    dtype: str
    sessions: int
    fallback: str | None = None


@dataclass(frozen=True)
class Ranking:
    """The results, best first, and how they came about."""

    results: list[RerankResult]
    model: str
    device: str
    dtype: str
    sessions: int
    fallback: str | None = None
    usage: Usage = field(default_factory=Usage)


def rank_results(
    scored: list[RerankResult], top_k: int | None, min_score: float | None
) -> list[RerankResult]:
    """Order results best first and number them.

    Equal scores keep input order; blank documents come last; `min_score` filters before
    `top_k` cuts.
    """
    kept = [result for result in scored if min_score is None or result.score >= min_score]
    kept.sort(key=lambda result: (result.logit is None, -result.score, result.index))
    return [
        RerankResult(**{**vars(result), "rank": rank})
        for rank, result in enumerate(kept[:top_k], start=1)
    ]
