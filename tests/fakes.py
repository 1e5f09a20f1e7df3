"""Stand-ins for the ports, for tests of the core. They pass the suites in tests/contract.

The tokenizer is no WordPiece: it keeps the structure of one (no ids for what cannot be seen, the
same ids for the same word) and none of the numbers. A reranker with these fakes does rerank: a
document scores by the words it shares with the query.
"""

import asyncio
import unicodedata
from collections.abc import Callable, Sequence
from zlib import crc32

import numpy as np

from webrerank.errors import InferenceError, TokenizationError
from webrerank.model import ModelSpec
from webrerank.pairs import IntArray, PairBatch, PairTemplate, Segment
from webrerank.reranker import Reranker
from webrerank.results import RuntimeInfo
from webrerank.scoring import FloatArray

CLS, SEP, PAD = 101, 102, 0
FIRST_WORD_ID = 1000
VOCABULARY = 30_000

#: [CLS] query [SEP] document [SEP], as BERT has it.
BERT = PairTemplate(
    (
        Segment(None, (CLS,), 0),
        Segment(0, (), 0),
        Segment(None, (SEP,), 0),
        Segment(1, (), 1),
        Segment(None, (SEP,), 1),
    )
)

RUNTIME = RuntimeInfo(model="fake", device="cpu", dtype="fp32", sessions=2)

#: Makes a model's outputs of one row: (input_ids, token_type_ids) -> numbers.
Model = Callable[[IntArray, IntArray], Sequence[float]]


def spec(max_length: int = 512, pad_id: int = PAD) -> ModelSpec:
    return ModelSpec(BERT, max_length, pad_id, "{}")


class FakeTokenizer:
    """One id a word; `batches` remembers what was asked."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    @property
    def texts(self) -> list[str]:
        return [text for batch in self.batches for text in batch]

    def encode_batch(self, texts: Sequence[str]) -> list[IntArray]:
        self.batches.append(list(texts))
        return [np.asarray([word_id(word) for word in words(text)], np.int32) for text in texts]


class RefusingTokenizer:
    """Encodes the query, and nothing after it."""

    def __init__(self) -> None:
        self.calls = 0

    def encode_batch(self, texts: Sequence[str]) -> list[IntArray]:
        self.calls += 1
        if self.calls > 1:
            raise TokenizationError("The tokenizer could not encode a text.")
        return FakeTokenizer().encode_batch(texts)


def words(text: str) -> list[str]:
    """Split at whitespace, after dropping characters that cannot be seen, such as U+200B."""
    return "".join(c for c in text if unicodedata.category(c) != "Cf").split()


def word_id(word: str) -> int:
    return FIRST_WORD_ID + crc32(word.encode()) % (VOCABULARY - FIRST_WORD_ID)


def overlap(input_ids: IntArray, token_type_ids: IntArray) -> list[float]:
    """A model: words of the document that the query has too; every pair has a number of its own."""
    query, document = input_ids[token_type_ids == 0], input_ids[token_type_ids == 1]
    shared = np.isin(document[document != SEP], query).sum()
    return [float(shared) - 3 + crc32(input_ids.tobytes()) % 1000 / 10_000]


class FakePool:
    """Runs a model written in Python; remembers what it was given and how busy it was.

    Args:
        hold: runs wait until `release` is called.
        fail_on: a run with this token id raises `failure`.
    """

    def __init__(
        self,
        *,
        capacity: int = 2,
        max_rows: int = 1,
        lengths: Sequence[int] = (),
        model: Model = overlap,
        hold: bool = False,
        fail_on: int | None = None,
        failure: Exception | None = None,
    ) -> None:
        self.capacity = capacity
        self.max_rows = max_rows
        self.lengths = lengths
        self.batches: list[PairBatch] = []
        self.running = 0
        self.most_running = 0
        self.cancelled = 0
        self._model = model
        self._gate = asyncio.Event()
        self._fail_on = fail_on
        self._failure = failure or InferenceError("the fake failed as told")
        if not hold:
            self._gate.set()

    def release(self) -> None:
        self._gate.set()

    async def run(self, batch: PairBatch) -> FloatArray:
        self.batches.append(batch)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(0)
            await self._gate.wait()
            return self._outputs(batch)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1

    def _outputs(self, batch: PairBatch) -> FloatArray:
        if self._fail_on is not None and (batch.input_ids == self._fail_on).any():
            raise self._failure
        if (batch.input_ids >= VOCABULARY).any():
            raise InferenceError("a token id is outside the vocabulary")
        rows = zip(batch.input_ids, batch.token_type_ids, batch.attention_mask, strict=True)
        return np.asarray(
            [self._model(ids[mask == 1], types[mask == 1]) for ids, types, mask in rows], np.float32
        )


def fake_reranker(
    pool: FakePool | None = None, tokenizer: FakeTokenizer | None = None, max_length: int = 512
) -> Reranker:
    return Reranker(spec(max_length), tokenizer or FakeTokenizer(), pool or FakePool(), RUNTIME)
