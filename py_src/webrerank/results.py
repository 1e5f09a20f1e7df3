"""What a rerank gives back. Plain data; every number is JSON-safe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from webrerank.errors import RerankError


@dataclass(frozen=True)
class RerankResult:
    """One document and its place.

    Attributes:
        index: place in the input, from 0.
        rank: place in the ranking, from 1; None in `on_result`, while others are still scored.
        score: in [0, 1]; 0 for a document without logit.
        logit: the model's raw number; None for a blank document, and for one with an error.
        document: the caller's own object, unchanged.
        truncated: True if not all of the document's tokens fitted into the pair.
        window: the part of a long document that won; None, as documents are not windowed yet.
        error: why the model could not score this document, though it did others; else None.
    """

    index: int
    rank: int | None
    score: float
    logit: float | None
    document: Any
    truncated: bool
    window: tuple[int, int] | None = None
    error: RerankError | None = None


@dataclass(frozen=True)
class Usage:
    """What a call did: counts, and times in milliseconds.

    Attributes:
        documents: documents given.
        pairs: pairs the model scored in this call.
        cached: documents whose pair was scored before, in this call or an earlier one.
        failed: documents that could not be scored; their results have an `error`.
        tokens: tokens in those pairs, special tokens included, padding not.
        query_truncated: True if a long query lost tokens in any pair.
    """

    documents: int = 0
    pairs: int = 0
    cached: int = 0
    failed: int = 0
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
        engine: "onnxruntime", or "kernel" for the project's own.
    """

    model: str
    device: str
    dtype: str
    sessions: int
    fallback: str | None = None
    engine: str = "onnxruntime"


@dataclass(frozen=True)
class Ranking:
    """The results, best first, and how they came about."""

    results: list[RerankResult]
    model: str
    device: str
    dtype: str
    sessions: int
    fallback: str | None = None
    engine: str = "onnxruntime"
    usage: Usage = field(default_factory=Usage)


def rank_results(
    scored: list[RerankResult], top_k: int | None, min_score: float | None
) -> list[RerankResult]:
    """Order results best first and number them.

    The order is that of the logits: above some 37 all scores are 1. Equal ones keep input order.
    Behind them come documents that could not be scored, then blank ones. `min_score` filters before
    `top_k` cuts.
    """
    kept = [result for result in scored if min_score is None or result.score >= min_score]
    kept.sort(key=_place)
    return [
        RerankResult(**{**vars(result), "rank": rank})
        for rank, result in enumerate(kept[:top_k], start=1)
    ]


def _place(result: RerankResult) -> tuple[int, float, int]:
    if result.logit is not None:
        return 0, -result.logit, result.index
    return 2 if result.error is None else 1, 0.0, result.index
