"""Times peers by turns: each call of one is followed by a call of the next, round after round."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from bench.document_sets import DocumentSet
from bench.peers import Peer, PeerFailed
from bench.summary import Spread, spread


@dataclass(frozen=True)
class Timing:
    """All peers on one document set; times in ms."""

    name: str
    documents: int
    tokens: int
    peers: dict[str, Spread]
    failures: dict[str, str]

    def ratio(self, peer: str, reference: str) -> float | None:
        """How many times the reference's median a peer takes."""
        if peer not in self.peers or reference not in self.peers:
            return None
        return self.peers[peer].median / self.peers[reference].median


def time_by_turns(
    peers: Sequence[Peer], documents: DocumentSet, rounds: int, *, warm_up: bool = False
) -> Timing:
    """Time every peer `rounds` times on one document set.

    Each round begins with another peer, so that no one always follows the same. A peer that
    fails is left out from then on.

    Args:
        warm_up: begin with a round that does not count.
    """
    times: dict[str, list[float]] = {peer.name: [] for peer in peers}
    failures: dict[str, str] = {}
    for number in range(-1 if warm_up else 0, rounds):
        for place in range(len(peers)):
            peer = peers[(place + number) % len(peers)]
            if peer.name in failures:
                continue
            try:
                ms = peer.rerank(documents).ms
            except PeerFailed as failure:
                failures[peer.name] = str(failure)
                say(f"  {documents.name}: {peer.name} failed: {failure}")
                continue
            if number >= 0:
                times[peer.name].append(ms)
    measured = {name: spread(values) for name, values in times.items() if values}
    for name, value in measured.items():
        say(f"  {documents.name:<24} {name:<52} {value.median:9.0f} ms")
    return Timing(documents.name, len(documents.documents), documents.tokens, measured, failures)


def say(text: str) -> None:
    """Tell how far the run is."""
    print(text, file=sys.stderr, flush=True)
