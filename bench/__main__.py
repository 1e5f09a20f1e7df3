"""`python build.py bench`: measure everything in one run and write bench/results/."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from playwright.sync_api import BrowserContext

from bench.browser import BrowserPeer, chromium, versions
from bench.browser_peers import (
    KERNEL,
    TRANSFORMERS,
    TUNED,
    WEBRERANK,
    browser_peers,
    tune_transformers,
)
from bench.document_sets import DocumentSet, check_sets, length_sets, timing_sets
from bench.machine import describe_machine, describe_versions
from bench.native_peers import NATIVE, native_peers
from bench.outcome import Results
from bench.overhead import measure_overhead
from bench.peers import Peer
from bench.pictures import draw
from bench.plan import Plan, make_plan
from bench.report import write_results
from bench.score_check import check_scores
from bench.site import lay_out, served
from bench.start import measure_first_list, measure_python_start
from bench.timing import Timing, say, time_by_turns
from bench.transfer import measure_transfer
from tools import BuildError

RESULTS = Path(__file__).with_name("results")


def main(arguments: list[str]) -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python build.py bench")
    parser.add_argument("--quick", action="store_true", help="a small run: does all work?")
    parser.add_argument("--rounds", type=int, help="how often each peer is timed, default 5")
    options = parser.parse_args(arguments)
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds must be at least 1")
    try:
        results = measure(make_plan(options.quick, options.rounds))
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    folder = RESULTS if not options.quick else RESULTS.parent / "scratch"
    write_results(results, folder, f"{date.today()}-{results.machine['kind']}")
    draw(results, folder)
    print((folder / "latest.md").read_text(encoding="utf-8"))
    return 0


def measure(plan: Plan) -> Results:
    """The whole run. What is short comes first, so that a failure shows early."""
    machine = describe_machine()
    lay_out()
    sets = [some.first(plan.most_documents or len(some.documents)) for some in timing_sets()]
    few = sets[0].first(plan.first_list_documents)
    with served(isolated=True) as isolated, served(isolated=False) as plain:
        say("first visit ...")
        first_visits = measure_transfer(isolated.url, few)
        with chromium() as context:
            runtime = describe_versions() | versions(context)
            say("start of Python ...")
            python_start = measure_python_start(context, isolated.url, plan.start_rounds)
            say("first ranked list ...")
            first_list = measure_first_list(context, isolated.url, few, plan.start_rounds)
            say("where the time of a call goes ...")
            calls = measure_overhead(context, isolated.url, sets[1], plan.rounds)
            say("time by sessions ...")
            by_sessions = _by_sessions(context, isolated.url, sets[0], plan)
            say("tuning transformers.js ...")
            tuned, tunings = tune_transformers(
                context, isolated.url, sets[0], plan.tuning_batches, plan.tuning_rounds
            )
            peers = [*browser_peers(context, isolated.url, plain.url, tuned), *native_peers()]
            say("checking scores against native onnxruntime ...")
            checks = check_scores(peers, NATIVE, check_sets())
            right = [peer for peer, check in zip(peers, checks, strict=True) if check.right]
            say("timing ...")
            timings = [time_by_turns(right, some, plan.rounds) for some in sets]
            by_documents, by_tokens = _by_size(right, plan)
    return Results(
        machine=machine,
        versions=runtime,
        plan=plan,
        first_visits=first_visits,
        python_start=python_start,
        first_list=first_list,
        calls=calls,
        by_sessions=by_sessions,
        tunings=tunings,
        score_checks=checks,
        timings=timings,
        by_documents=by_documents,
        by_tokens=by_tokens,
    )


def _by_size(right: Sequence[Peer], plan: Plan) -> tuple[list[Timing], list[Timing]]:
    """Some peers on more and more documents, and on longer and longer ones."""
    some = [peer for peer in right if peer.name in (WEBRERANK, KERNEL, TRANSFORMERS, TUNED, NATIVE)]
    hundred = timing_sets()[1]
    say("time by documents ...")
    counts = [time_by_turns(some, hundred.first(n), plan.rounds) for n in plan.document_counts]
    say("time by tokens ...")
    lengths = length_sets(plan.token_lengths)
    return counts, [time_by_turns(some, each, plan.rounds) for each in lengths]


def _by_sessions(
    context: BrowserContext, origin: str, documents: DocumentSet, plan: Plan
) -> Timing:
    peers = [
        BrowserPeer(f"{count}", context, origin, "webrerank", load_options={"sessions": count})
        for count in plan.session_counts
    ]
    timing = time_by_turns(peers, documents, plan.rounds, warm_up=True)
    for peer in peers:
        peer.close()
    return timing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
