"""Logits once computed are kept: another top_k, or an overlapping list, costs only what is new."""

from __future__ import annotations

from collections import OrderedDict

#: Logits kept; some 150 bytes each.
CAPACITY = 20_000


class ScoreCache:
    """The logits of one model, least recently used out first.

    Keys are `EncodedPair.key`: what the model reads, so query, document and max_length are in it.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._logits: OrderedDict[bytes, float] = OrderedDict()

    def get(self, key: bytes) -> float | None:
        """The logit of a pair, or None."""
        if key not in self._logits:
            return None
        self._logits.move_to_end(key)
        return self._logits[key]

    def put(self, key: bytes, logit: float) -> None:
        """Keep a logit."""
        self._logits[key] = logit
        self._logits.move_to_end(key)
        while len(self._logits) > self._capacity:
            self._logits.popitem(last=False)
