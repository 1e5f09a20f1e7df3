"""The results of a run, as JSON with every number and as Markdown tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from bench.browser_peers import WEBRERANK
from bench.outcome import Results, median_of
from bench.overhead import Call
from bench.score_check import ScoreCheck
from bench.summary import Spread, linear_fit
from bench.targets import targets
from bench.timing import Timing
from bench.transfer import FirstVisit

#: How each peer was run, where that is not plain from its name.
NOTES = """\
- All are given the same int8 ONNX file, of which webrerank computes the last layer for the first
  token only. The browser peers run on WebAssembly, each in a tab of its own, one at a time,
  cross-origin isolated unless it says otherwise. Time is that of the public call, seen by the page.
  webrerank's score cache is off, or a repeated call would cost nothing.
- transformers.js: AutoTokenizer and AutoModelForSequenceClassification, one padded batch, all
  defaults. Tuned: the fastest of the table below, sorted by length.
- LocalMode: `transformers.reranker(id, { quantized: true, device: 'wasm' }).doRerank`, which its
  `rerank()` calls; by default it would ask for an fp32 file. Its core package is not in the npm
  registry, so a stand-in has the three classes that it imports and the reranker does not use.
- ONNX Runtime Web by hand: one worker, one pair a run, given webrerank's token ids, so it neither
  tokenises nor ranks.
- Native: two threads. FlashRank is the package itself with its session given two threads.
- sentence-transformers itself is left out: it needs torch, whose package on PyPI brings gigabytes
  of GPU libraries, and optimum to run an ONNX file. Its batching (32 pairs, sorted by length,
  padded) is run on native onnxruntime in its place."""


def write_results(results: Results, folder: Path, name: str) -> None:
    """Write NAME.json and latest.md."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = json.dumps(asdict(results), indent=1) + "\n"
    (folder / f"{name}.json").write_text(numbers, encoding="utf-8")
    (folder / "latest.md").write_text(markdown(results, name), encoding="utf-8")


def markdown(results: Results, name: str) -> str:
    """All tables."""
    machine = results.machine
    native = ", ".join(machine["int8 instructions"]) or "none"
    sections = [
        f"# Bench {name}",
        f"{machine['processor']} (int8 instructions: {native}), "
        f"{machine['cores']} cores, {machine['system']}; Chromium "
        f"{results.versions['version']}. Load average before the run: "
        f"{_load(machine['load average before'])}. Medians of {results.plan.rounds} rounds, "
        f"peers by turns; in brackets the quartiles. Every number is in {name}.json.",
        *_warnings(results),
        NOTES,
        "## Targets",
        table(["what", "measured", "target", ""], targets(results)),
        "## Right scores",
        "Logits against native onnxruntime, one pair a run. A wrong peer is not timed.",
        table(
            ["peer", "Kendall tau", "max difference", "mean", ""], map(_check, results.score_checks)
        ),
        *(_timing_section(timing) for timing in results.timings),
        "## By number of documents, ms",
        _by(results.by_documents, [str(timing.documents) for timing in results.by_documents]),
        "## By tokens a pair, ms",
        _by(results.by_tokens, [timing.name for timing in results.by_tokens]),
        "## By sessions (webrerank), ms",
        table(["sessions", "ms"], ((n, _ms(s)) for n, s in results.by_sessions.peers.items())),
        "## Where the time of a call goes",
        _calls(results.calls),
        "## Start",
        _start(results),
        "## First visit, MB compressed with brotli",
        _first_visits(results.first_visits),
        "## Tuning of transformers.js, ms",
        table(
            ["in", "threads", "pairs a run", "ms"],
            (
                (
                    "worker" if t.worker else "page",
                    t.threads,
                    t.batch,
                    f"{t.ms:.0f}" if t.ms else "failed",
                )
                for t in results.tunings
            ),
        ),
        "## Versions",
        table(["", ""], results.versions.items()),
    ]
    return "\n\n".join(sections) + "\n"


def _warnings(results: Results) -> Iterable[str]:
    if results.plan.most_documents:
        yield "**A quick run: it shows that everything works; its figures say nothing.**"
    load = results.machine["load average before"]
    if load and load[0] > 0.25 * results.machine["cores"]:
        yield "**The machine was busy before the run began: run again on an idle one.**"


def _timing_section(timing: Timing) -> str:
    ours = timing.peers.get(WEBRERANK)
    rows: list[Sequence[object]] = [
        (name, _ms(value), f"{value.median / ours.median:.2f}" if ours else "")
        for name, value in timing.peers.items()
    ]
    rows += [(name, f"failed: {reason}", "") for name, reason in timing.failures.items()]
    return (
        f"## {timing.name} documents: {timing.tokens} tokens, "
        f"{timing.tokens / timing.documents:.0f} a pair\n\n"
        + table(["peer", "ms", "/ webrerank"], rows)
    )


def _by(timings: Sequence[Timing], heads: Sequence[str]) -> str:
    names = list(dict.fromkeys(name for timing in timings for name in timing.peers))
    rows = [
        (name, *(_ms(t.peers[name]) if name in t.peers else "failed" for t in timings))
        for name in names
    ]
    tokens = [timing.tokens for timing in timings]
    ours = [timing.peers[WEBRERANK].median for timing in timings if WEBRERANK in timing.peers]
    fit = ""
    if len(ours) == len(tokens) > 1:
        slope, intercept, r2 = linear_fit(tokens, ours)
        fit = (
            f"\n\nwebrerank: {1000 * slope:.1f} ms per 1000 tokens and {intercept:.0f} ms, "
            f"r² {r2:.4f}."
        )
    return table(["peer", *heads], [("tokens", *tokens), *rows]) + fit


def _calls(calls: Sequence[Call]) -> str:
    names = ("computing", "before", "between", "waiting_at_end", "after", "overhead", "balance")
    rows = [(name.replace("_", " "), f"{median_of(calls, name):.4f}") for name in names]
    ms, tokenize = median_of(calls, "ms"), median_of(calls, "tokenize_ms")
    lead = (
        f"{calls[0].runs} runs in {calls[0].sessions} sessions, {ms:.0f} ms, of which tokenising "
        f"{tokenize:.0f} ms. Shares of sessions x time; overhead is before + between + after."
    )
    return f"{lead}\n\n{table(['share', 'median'], rows)}"


def _start(results: Results) -> str:
    python, first = results.python_start, results.first_list
    rows = [
        ("plain loadPyodide + numpy", _ms(python.plain), ""),
        ("dist/'s Python with numpy", _ms(python.ours), f"{python.ratio:.2f}"),
        (
            "the same, webrerank imported",
            _ms(python.ours_booted),
            f"{python.ours_booted.median / python.plain.median:.2f}",
        ),
        (f"first ranked list of {first.documents}, transformers.js", _ms(first.transformers), ""),
        (
            f"first ranked list of {first.documents}, webrerank",
            _ms(first.webrerank),
            f"{first.ratio:.2f}",
        ),
    ]
    return table(["what, caches warm", "ms", "ratio"], rows)


def _first_visits(visits: dict[str, FirstVisit]) -> str:
    parts = list(dict.fromkeys(part for visit in visits.values() for part in visit.compressed))
    rows: list[Sequence[object]] = [
        (part, *(f"{visit.compressed.get(part, 0) / 1e6:.2f}" for visit in visits.values()))
        for part in parts
    ]
    rows.append(("all", *(f"{visit.total / 1e6:.2f}" for visit in visits.values())))
    rows.append(("all, raw", *(f"{sum(v.raw.values()) / 1e6:.2f}" for v in visits.values())))
    rows.append(("requests", *(visit.requests for visit in visits.values())))
    return table(["part", *visits], rows)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _check(check: ScoreCheck) -> Sequence[object]:
    verdict = check.failure or ("right" if check.right else "**wrong**")
    numbers = (check.kendall_tau, check.max_difference, check.mean_difference)
    return check.peer, *(f"{n:.3f}" if n is not None else "" for n in numbers), verdict


def _ms(value: Spread) -> str:
    return f"{value.median:.0f} ({value.q1:.0f} to {value.q3:.0f})"


def _load(load: Sequence[float] | None) -> str:
    return "unknown" if load is None else f"{load[0]:.2f}"
