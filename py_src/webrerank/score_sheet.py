"""One call's results while its pairs are scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from webrerank.pairs import EncodedPair
from webrerank.results import RerankResult
from webrerank.scoring import score_of

OnProgress = Callable[[int, int], None]
OnResult = Callable[[RerankResult], None]


class ScoreSheet:
    """Collects logits, tells the caller, and knows which documents are the same pair.

    Args:
        documents: the caller's objects.
        pairs: each document's pair; None for a blank document.
        on_progress: called with (done, total) documents that have a pair.
        on_result: called with each result.
    """

    def __init__(
        self,
        documents: Sequence[Any],
        pairs: Sequence[EncodedPair | None],
        on_progress: OnProgress | None,
        on_result: OnResult | None,
    ) -> None:
        self.results = [
            RerankResult(index, None, 0.0, None, document, False)
            for index, document in enumerate(documents)
        ]
        #: Each different pair once, by its key; equal documents share one.
        self.pairs: dict[bytes, EncodedPair] = {}
        #: Per key, the documents' places; two texts may differ only in what was cut off.
        self._places: dict[bytes, list[tuple[int, bool]]] = {}
        for index, pair in enumerate(pairs):
            if pair is not None:
                self.pairs.setdefault(pair.key, pair)
                place = (index, pair.document_truncated)
                self._places.setdefault(pair.key, []).append(place)
        self._total = sum(map(len, self._places.values()))
        self._done = 0
        self._on_progress = on_progress
        self._on_result = on_result

    def fill(self, key: bytes, logit: float) -> None:
        """A pair's logit is known."""
        for index, truncated in self._places[key]:
            document = self.results[index].document
            result = RerankResult(index, None, score_of(logit), logit, document, truncated)
            self.results[index] = result
            self._done += 1
            if self._on_result:
                self._on_result(result)
            if self._on_progress:
                self._on_progress(self._done, self._total)
