"""Pictures of a run: time by documents, by tokens, by sessions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "webrerank"  # equal numbers, equal files

import matplotlib.pyplot as plt  # noqa: E402

from bench.outcome import Results  # noqa: E402
from bench.timing import Timing  # noqa: E402


def draw(results: Results, folder: Path) -> None:
    """Write three pictures."""
    by_documents, by_tokens = results.by_documents, results.by_tokens
    counts = [float(timing.documents) for timing in by_documents]
    lengths = [timing.tokens / timing.documents for timing in by_tokens]
    _lines(by_documents, counts, "documents", folder / "by-documents.svg")
    _lines(by_tokens, lengths, "tokens a pair", folder / "by-tokens.svg")
    _bars(results.by_sessions, folder / "by-sessions.svg")


def _lines(timings: Sequence[Timing], places: Sequence[float], what: str, path: Path) -> None:
    _, axes = plt.subplots(figsize=(7, 4.5))
    for name in dict.fromkeys(name for timing in timings for name in timing.peers):
        points = [
            (place, timing.peers[name])
            for place, timing in zip(places, timings, strict=True)
            if name in timing.peers
        ]
        x = [place for place, _ in points]
        axes.plot(x, [value.median / 1000 for _, value in points], marker="o", label=name)
        low = [value.q1 / 1000 for _, value in points]
        high = [value.q3 / 1000 for _, value in points]
        axes.fill_between(x, low, high, alpha=0.2)
    axes.set_xlabel(what)
    axes.set_ylabel("seconds, median and quartiles")
    axes.set_ylim(bottom=0)
    axes.legend()
    axes.grid(alpha=0.3)
    _save(path)


def _bars(timing: Timing, path: Path) -> None:
    _, axes = plt.subplots(figsize=(5, 4))
    names = list(timing.peers)
    medians = [timing.peers[name].median / 1000 for name in names]
    spans = [
        [(timing.peers[n].median - timing.peers[n].q1) / 1000 for n in names],
        [(timing.peers[n].q3 - timing.peers[n].median) / 1000 for n in names],
    ]
    axes.bar(names, medians, yerr=spans, capsize=4)
    axes.set_xlabel(f"sessions ({timing.documents} documents, {timing.tokens} tokens)")
    axes.set_ylabel("seconds, median and quartiles")
    _save(path)


def _save(path: Path) -> None:
    plt.tight_layout()
    plt.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close()
