"""Pair encoding: one query and one document as the token ids a cross-encoder reads.

Tokenizers give plain ids; the special tokens, the token types and the truncation are applied
here, so that they are the same on every runtime. Must not know where the ids come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from webrerank.errors import UnsupportedModelError

IntArray: TypeAlias = NDArray[np.integer[Any]]

QUERY = 0
DOCUMENT = 1


@dataclass(frozen=True)
class Segment:
    """One part of a pair: the query, the document, or fixed special tokens."""

    source: int | None  #: QUERY, DOCUMENT, or None for special tokens
    ids: tuple[int, ...]  #: the special tokens' ids; empty for query and document
    type_id: int


@dataclass(frozen=True)
class EncodedPair:
    """One encoded pair; ids and types are int64, shape (length,)."""

    input_ids: IntArray
    token_type_ids: IntArray
    query_truncated: bool
    document_truncated: bool

    @cached_property
    def key(self) -> bytes:
        """A digest of all that the model reads: equal keys, equal logits."""
        return blake2b(self.input_ids.tobytes() + self.token_type_ids.tobytes()).digest()[:16]


@dataclass(frozen=True)
class PairBatch:
    """Pairs padded to one length; the three arrays are int64, shape (rows, length)."""

    input_ids: IntArray
    attention_mask: IntArray
    token_type_ids: IntArray


@dataclass(frozen=True)
class PairTemplate:
    """Where query, document and special tokens stand in a pair.

    Source:
        the `post_processor` of the model's tokenizer.json (Hugging Face tokenizers).
    """

    segments: tuple[Segment, ...]

    @property
    def special_count(self) -> int:
        """How many special tokens a pair has."""
        return sum(len(segment.ids) for segment in self.segments)

    def encode(self, query: IntArray, document: IntArray, max_length: int) -> EncodedPair:
        """Put a pair together, truncated longest-first to `max_length` tokens.

        Args:
            query: token ids without special tokens, shape (n,).
            document: the same for the document, shape (m,).
            max_length: the most tokens a pair may have, special tokens included.
        """
        query_length, document_length = truncate_longest_first(
            len(query), len(document), max_length - self.special_count
        )
        sources = {QUERY: query[:query_length], DOCUMENT: document[:document_length]}
        parts = [
            np.asarray(segment.ids if segment.source is None else sources[segment.source], np.int64)
            for segment in self.segments
        ]
        types = [segment.type_id for segment in self.segments]
        return EncodedPair(
            input_ids=np.concatenate(parts),
            token_type_ids=np.repeat(np.asarray(types, np.int64), [len(part) for part in parts]),
            query_truncated=query_length < len(query),
            document_truncated=document_length < len(document),
        )


def truncate_longest_first(first: int, second: int, budget: int) -> tuple[int, int]:
    """Share `budget` tokens between two texts, cutting the longer one first.

    The shorter text is whole while it fits in half the budget, so neither can push the other out.

    Source:
        `truncate_encodings`, LongestFirst, in Hugging Face tokenizers (Rust).
    """
    if first + second <= budget:
        return first, second
    short, long = sorted((first, second))
    long = max(short, budget - short)
    if short + long > budget:
        short = budget // 2
        long = short + budget % 2
    return (short, long) if first <= second else (long, short)


def pad_batch(pairs: Sequence[EncodedPair], pad_id: int, length: int = 0) -> PairBatch:
    """Stack pairs into one batch, padded on the right to the longest, or to `length` if more."""
    length = max(length, *(len(pair.input_ids) for pair in pairs))
    input_ids = np.full((len(pairs), length), pad_id, np.int64)
    attention_mask = np.zeros((len(pairs), length), np.int64)
    token_type_ids = np.zeros((len(pairs), length), np.int64)
    for row, pair in enumerate(pairs):
        end = len(pair.input_ids)
        input_ids[row, :end] = pair.input_ids
        attention_mask[row, :end] = 1
        token_type_ids[row, :end] = pair.token_type_ids
    return PairBatch(input_ids, attention_mask, token_type_ids)


def pair_template(post_processor: dict[str, Any] | None) -> PairTemplate:
    """Read the pair template from the `post_processor` of a tokenizer.json.

    Raises:
        UnsupportedModelError: the post-processor is of a type not known here.
    """
    for processor in _flatten(post_processor):
        kind = processor["type"]
        if kind == "TemplateProcessing":
            return _from_template(processor)
        if kind in ("BertProcessing", "RobertaProcessing"):
            return _from_cls_sep(processor)
        if kind != "ByteLevel":  # ByteLevel only moves offsets
            raise UnsupportedModelError(
                f"The tokenizer's post-processor {kind!r} is not supported: known are "
                "TemplateProcessing, BertProcessing, RobertaProcessing and ByteLevel. "
                "Choose another model."
            )
    # GPT-style tokenizers have no template: the texts simply follow each other.
    return PairTemplate((Segment(QUERY, (), 0), Segment(DOCUMENT, (), 1)))


def _flatten(post_processor: dict[str, Any] | None) -> Iterable[dict[str, Any]]:
    if post_processor is None:
        return []
    if post_processor.get("type") == "Sequence":
        return [part for child in post_processor["processors"] for part in _flatten(child)]
    return [post_processor]


def _from_template(processor: dict[str, Any]) -> PairTemplate:
    special = processor["special_tokens"]
    segments = []
    for piece in processor["pair"]:
        ((kind, value),) = piece.items()
        if kind == "SpecialToken":
            segments.append(Segment(None, tuple(special[value["id"]]["ids"]), value["type_id"]))
        else:
            segments.append(Segment({"A": QUERY, "B": DOCUMENT}[value["id"]], (), value["type_id"]))
    return PairTemplate(tuple(segments))


def _from_cls_sep(processor: dict[str, Any]) -> PairTemplate:
    cls, sep = processor["cls"][1], processor["sep"][1]
    # RoBERTa doubles the separator and knows one token type only.
    bert = processor["type"] == "BertProcessing"
    second = 1 if bert else 0
    between = (sep,) if bert else (sep, sep)
    return PairTemplate(
        (
            Segment(None, (cls,), 0),
            Segment(QUERY, (), 0),
            Segment(None, between, 0),
            Segment(DOCUMENT, (), second),
            Segment(None, (sep,), second),
        )
    )
