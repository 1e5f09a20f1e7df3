"""The peers in the browser, and what transformers.js gains from tuning."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from playwright.sync_api import BrowserContext

from bench.browser import BrowserPeer
from bench.document_sets import DocumentSet
from bench.peers import Peer, PeerFailed
from bench.summary import spread
from bench.timing import say

WEBRERANK = "webrerank"
KERNEL = "webrerank, kernel"
TRANSFORMERS = "transformers.js"
TUNED = "transformers.js, tuned"


@dataclass(frozen=True)
class Tuning:
    """One way to run transformers.js, and the time of one call."""

    worker: bool
    threads: int
    batch: int
    ms: float | None  #: None if it failed


def browser_peers(context: BrowserContext, isolated: str, plain: str, tuned: Peer) -> list[Peer]:
    """All of them; `isolated` and `plain` are origins with and without isolation headers."""
    return [
        BrowserPeer(WEBRERANK, context, isolated, "webrerank"),
        BrowserPeer(KERNEL, context, isolated, "webrerank", load_options={"engine": "auto"}),
        BrowserPeer("webrerank, page not isolated", context, plain, "webrerank"),
        BrowserPeer(TRANSFORMERS, context, isolated, "transformers"),
        tuned,
        BrowserPeer("LocalMode", context, isolated, "localmode"),
        BrowserPeer(
            "ONNX Runtime Web by hand, 2 threads",
            context,
            isolated,
            "ort-by-hand",
            worker=True,
            load_options={"threads": 2},
            wants_pairs=True,
        ),
    ]


def tune_transformers(
    context: BrowserContext,
    origin: str,
    documents: DocumentSet,
    batches: tuple[int, ...],
    rounds: int,
) -> tuple[Peer, list[Tuning]]:
    """Try threads, batch sizes, page and worker, sorted by length; keep the fastest."""
    tried: list[tuple[float, BrowserPeer]] = []
    tunings = []
    for worker in (False, True):
        for threads in (1, 2):
            peer = BrowserPeer(TUNED, context, origin, "transformers", worker, {"threads": threads})
            for batch in batches:
                peer.rerank_options = {"batch": batch}
                ms = _best(peer, documents, rounds)
                tuning = Tuning(worker, threads, batch, ms)
                tunings.append(tuning)
                say(f"  {asdict(tuning)}")
                if ms is not None:
                    kept = BrowserPeer(
                        TUNED, context, origin, "transformers", worker, {"threads": threads}
                    )
                    kept.rerank_options = {"batch": batch}
                    tried.append((ms, kept))
            peer.close()
    return min(tried, key=lambda pair: pair[0])[1], tunings


def _best(peer: BrowserPeer, documents: DocumentSet, rounds: int) -> float | None:
    """The median after one call that does not count; None if it cannot."""
    try:
        peer.rerank(documents)
        return spread([peer.rerank(documents).ms for _ in range(rounds)]).median
    except PeerFailed as failure:
        say(f"  tuning failed: {failure}")
        return None
