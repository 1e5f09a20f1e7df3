"""Where the time of one webrerank call goes, seen from its sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import BrowserContext

from bench.browser import BrowserPeer
from bench.document_sets import DocumentSet
from bench.peers import Measurement


@dataclass(frozen=True)
class Call:
    """One call. Shares are of sessions x time of the call, and add up to 1."""

    ms: float
    tokenize_ms: float
    sessions: int
    runs: int
    computing: float  #: sessions at work
    before: float  #: until the first run begins: messages, checks, tokenising, pairs
    between: float  #: from run to run: messages, Python
    waiting_at_end: float  #: a session has no more to do while another has
    after: float  #: from the end of the last run to the answer
    balance: float  #: time at work of the least busy session over that of the busiest

    @property
    def overhead(self) -> float:
        """Python, tokenising and messages: all but computing and waiting for the other session."""
        return self.before + self.between + self.after


def measure_overhead(
    context: BrowserContext, origin: str, documents: DocumentSet, rounds: int
) -> list[Call]:
    """Call webrerank with sessions that record their runs; the first call does not count."""
    peer = BrowserPeer("webrerank, recorded", context, origin, "webrerank-recorded")
    calls = [_call(peer.rerank(documents)) for _ in range(rounds + 1)]
    peer.close()
    return calls[1:]


def _call(measurement: Measurement) -> Call:
    details, ms = measurement.details, measurement.ms
    started = details["started"]
    runs = [run for run in details["runs"] if run["begun"] >= started]
    by_session = _by_session(runs)
    first = min(run["begun"] for run in runs)
    last = max(run["ended"] for run in runs)
    sessions = details["sessions"]
    whole = sessions * ms
    busy = [sum(end - begin for begin, end in spans) for spans in by_session]
    # A session that never ran waited the whole time.
    ends = [spans[-1][1] for spans in by_session] + [first] * (sessions - len(by_session))
    waiting = sum(last - end for end in ends)
    computing = sum(busy)
    before, after = (first - started) * sessions, (started + ms - last) * sessions
    between = whole - computing - before - after - waiting
    least = min(busy) if len(busy) == sessions else 0.0
    return Call(
        ms,
        details["usage"]["tokenizeMs"],
        sessions,
        len(runs),
        computing=computing / whole,
        before=before / whole,
        between=between / whole,
        waiting_at_end=waiting / whole,
        after=after / whole,
        balance=least / max(busy),
    )


def _by_session(runs: Sequence[dict[str, Any]]) -> list[list[tuple[float, float]]]:
    spans: dict[str, list[tuple[float, float]]] = {}
    for run in sorted(runs, key=lambda run: run["begun"]):
        spans.setdefault(run["session"], []).append((run["begun"], run["ended"]))
    return list(spans.values())
