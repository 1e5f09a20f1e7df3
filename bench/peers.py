"""What a peer is: something that reranks a document set and can be timed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from bench.document_sets import DocumentSet


class PeerFailed(Exception):
    """A peer could not finish a call; its text says why."""


@dataclass(frozen=True)
class Measurement:
    """One call: how long it took, and the logits in input order."""

    ms: float
    logits: list[float]
    details: dict[str, Any] = field(default_factory=dict)


class Peer(Protocol):
    """One way to rerank."""

    @property
    def name(self) -> str: ...

    def rerank(self, documents: DocumentSet) -> Measurement:
        """Rerank once.

        Raises:
            PeerFailed: it could not; the next call may.
        """

    def close(self) -> None:
        """Free what it holds."""
