"""What is reranked when time is measured: a query, its documents, and their token ids."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from bench.collection import Candidates, load_noveleval, load_trec_dl2019
from bench.model import MAX_LENGTH, SPEC, TOKENIZER
from webrerank.pairs import EncodedPair

#: Documents of each length that are reranked to see the time by tokens.
DOCUMENTS_PER_LENGTH = 16


@dataclass(frozen=True)
class DocumentSet:
    """One rerank call."""

    name: str
    query: str
    documents: list[str]

    @cached_property
    def pairs(self) -> list[EncodedPair]:
        """The pairs as webrerank encodes them."""
        return encode(self.query, self.documents)

    @property
    def tokens(self) -> int:
        """Tokens of all pairs, padding not included."""
        return sum(len(pair.input_ids) for pair in self.pairs)

    def first(self, count: int) -> DocumentSet:
        """The same call with fewer documents."""
        if count >= len(self.documents):
            return self
        return DocumentSet(f"first {count} of {self.name}", self.query, self.documents[:count])


def encode(query: str, documents: list[str]) -> list[EncodedPair]:
    """Encode pairs with webrerank's core and the native tokenizer."""
    query_ids, *ids = TOKENIZER.encode_batch([query, *documents])
    return [SPEC.template.encode(query_ids, document, MAX_LENGTH) for document in ids]


def _take(candidates: Candidates, count: int, name: str) -> DocumentSet:
    return DocumentSet(name, candidates.query, candidates.documents[:count])


def timing_sets() -> list[DocumentSet]:
    """50 and 100 passages of trec-dl2019, 50 longer ones of noveleval, and a mix of both."""
    trec, noveleval = load_trec_dl2019().candidates, load_noveleval().candidates
    short, long = trec[0].documents[:25], noveleval[0].documents[:25]
    mixed = list(chain.from_iterable(zip(short, long, strict=True)))
    return [
        _take(trec[0], 50, "trec-dl2019, 50"),
        _take(trec[1], 100, "trec-dl2019, 100"),
        _take(noveleval[0], 50, "noveleval, 50"),
        DocumentSet("short and long, 50", trec[0].query, mixed),
    ]


def check_sets() -> list[DocumentSet]:
    """Other pairs than the timed ones, short and long, for comparing scores."""
    trec, noveleval = load_trec_dl2019().candidates, load_noveleval().candidates
    return [
        _take(trec[2], 20, "trec-dl2019, 20"),
        _take(trec[3], 20, "trec-dl2019, 20 others"),
        _take(noveleval[1], 12, "noveleval, 12"),
    ]


def length_sets(lengths: tuple[int, ...]) -> list[DocumentSet]:
    """Documents cut so that all pairs of a set have one number of tokens, or very nearly."""
    trec = load_trec_dl2019().candidates
    query = trec[0].query
    words = " ".join(chain.from_iterable(c.documents for c in trec[1:20:4])).split()
    sets = []
    for length in lengths:
        starts = range(0, DOCUMENTS_PER_LENGTH * 400, 400)
        documents = [_cut(query, words[start : start + length], length) for start in starts]
        sets.append(DocumentSet(f"{length} tokens", query, documents))
    return sets


def _cut(query: str, words: list[str], length: int) -> str:
    """The most leading words that stay within `length` tokens with the query."""
    low, high = 1, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        query_ids, ids = TOKENIZER.encode_batch([query, " ".join(words[:middle])])
        fits = len(query_ids) + len(ids) + SPEC.template.special_count <= length
        low, high = (middle, high) if fits else (low, middle - 1)
    return " ".join(words[:low])
