"""Before anything is timed: does a peer rank with the same weights, and rightly?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.document_sets import DocumentSet
from bench.peers import Peer, PeerFailed
from bench.summary import kendall_tau
from bench.timing import say

#: Batches of int8 activations move logits by some tenths (docs/platform.md), so neighbours may
#: change places; a wrong pair encoding or other weights fall far below.
LEAST_TAU = 0.85


@dataclass(frozen=True)
class ScoreCheck:
    """A peer's logits against native onnxruntime's, one pair a run, on the same pairs."""

    peer: str
    right: bool
    kendall_tau: float | None = None  #: mean over the lists
    max_difference: float | None = None  #: of a logit
    mean_difference: float | None = None
    failure: str | None = None


def check_scores(
    peers: Sequence[Peer], reference_name: str, sets: Sequence[DocumentSet]
) -> list[ScoreCheck]:
    """Compare every peer with one of them."""
    (reference,) = (peer for peer in peers if peer.name == reference_name)
    wanted = [reference.rerank(documents).logits for documents in sets]
    checks = [_check(peer, sets, wanted) for peer in peers]
    for check in checks:
        tau, difference = check.kendall_tau, check.max_difference
        found = check.failure or f"Kendall tau {tau:.3f}, max difference {difference:.3f}"
        say(f"  {check.peer:<52} {'right' if check.right else 'WRONG'}: {found}")
    return checks


def _check(peer: Peer, sets: Sequence[DocumentSet], wanted: list[list[float]]) -> ScoreCheck:
    try:
        logits = [peer.rerank(documents).logits for documents in sets]
    except PeerFailed as failure:
        return ScoreCheck(peer.name, False, failure=str(failure))
    taus = [kendall_tau(*lists) for lists in zip(logits, wanted, strict=True)]
    differences = np.abs(np.concatenate(logits) - np.concatenate(wanted))
    tau = float(np.mean(taus))
    return ScoreCheck(
        peer.name, tau >= LEAST_TAU, tau, float(differences.max()), float(differences.mean())
    )
