"""What the core needs from its surroundings, and nothing more.

Adapters for CPython and for Pyodide live in `webrerank.adapters`; the core never imports them.
Cancellation needs no port: a call is a coroutine, and cancelling its task cancels it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from webrerank.pairs import IntArray, PairBatch
from webrerank.scoring import FloatArray


class Tokenizer(Protocol):
    """Turns text into token ids, without special tokens, padding or truncation."""

    def encode_batch(self, texts: Sequence[str]) -> list[IntArray]:
        """Give the int32 ids of each text, in order; an empty text has none.

        Raises:
            TokenizationError: a text cannot be encoded.
        """
        ...


class SessionPool(Protocol):
    """Inference sessions of one model, side by side; calls may overlap."""

    @property
    def capacity(self) -> int:
        """How many runs may usefully be under way at once, over all sessions."""
        ...

    @property
    def max_rows(self) -> int:
        """How many pairs one run may hold: 1 keeps every logit free of its neighbours."""
        ...

    @property
    def lengths(self) -> Sequence[int]:
        """Lengths that runs are padded to, ascending; what is longer than all is as long as it is.

        For a device that compiles anew for each shape. None at all means no padding.
        """
        ...

    async def run(self, batch: PairBatch) -> FloatArray:
        """Give the logits of a batch, float32, shape (rows, n_logits).

        Cancelling the awaiting task takes a run that has not begun out of the queue.

        Raises:
            InferenceError: this batch cannot be run: the model failed on it, or two sessions ended
                while they were at it. Others can be run.
            WorkerCrashedError: there is no session that could run it, or any other batch.
        """
        ...
