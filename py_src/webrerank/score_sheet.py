"""One call's results while its pairs are scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from webrerank.errors import RerankError
from webrerank.pairs import EncodedPair
from webrerank.results import RerankResult
from webrerank.scoring import score_of

OnProgress = Callable[[int, int], None]
OnResult = Callable[[RerankResult], None]


class ScoreSheet:
    """Collects logits, tells the caller, and knows which documents are the same pair.

    Args:
        documents: the caller's objects.
        pairs: each document's pair; None for a blank document, an error for one without tokens.
        on_progress: called with (done, total) documents that are not blank.
        on_result: called with each result.

    Attributes:
        total: documents that are not blank.
        failed: how many of them could not be scored so far.
        first_error: of the first that could not.
    """

    def __init__(
        self,
        documents: Sequence[Any],
        pairs: Sequence[EncodedPair | RerankError | None],
        on_progress: OnProgress | None,
        on_result: OnResult | None,
    ) -> None:
        self.results = [
            RerankResult(index, None, 0.0, None, document, False)
            for index, document in enumerate(documents)
        ]
        self.failed = 0
        self.first_error: RerankError | None = None
        self._unreadable: list[tuple[int, RerankError]] = []
        #: Each different pair once, by its key; equal documents share one.
        self.pairs: dict[bytes, EncodedPair] = {}
        #: Per key, the documents' places; two texts may differ only in what was cut off.
        self._places: dict[bytes, list[tuple[int, bool]]] = {}
        for index, pair in enumerate(pairs):
            if isinstance(pair, RerankError):
                self._unreadable.append((index, pair))
            elif pair is not None:
                self.pairs.setdefault(pair.key, pair)
                place = (index, pair.document_truncated)
                self._places.setdefault(pair.key, []).append(place)
        self.total = sum(map(len, self._places.values())) + len(self._unreadable)
        self._done = 0
        self._on_progress = on_progress
        self._on_result = on_result

    def fill(self, key: bytes, logit: float) -> None:
        """A pair's logit is known."""
        for index, truncated in self._places[key]:
            result = replace(
                self.results[index], score=score_of(logit), logit=logit, truncated=truncated
            )
            self._tell(result)

    def fail(self, key: bytes, error: RerankError) -> None:
        """A pair cannot be scored."""
        for index, truncated in self._places[key]:
            self._fail(replace(self.results[index], truncated=truncated, error=error))

    def fail_unreadable(self) -> None:
        """Tell of the documents that the tokenizer refused."""
        for index, error in self._unreadable:
            self._fail(replace(self.results[index], error=error))

    def _fail(self, result: RerankResult) -> None:
        self.failed += 1
        self.first_error = self.first_error or result.error
        self._tell(result)

    def _tell(self, result: RerankResult) -> None:
        self.results[result.index] = result
        self._done += 1
        if self._on_result:
            self._on_result(result)
        if self._on_progress:
            self._on_progress(self._done, self.total)
