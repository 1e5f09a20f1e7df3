"""The targets of the project, each with what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.browser_peers import TRANSFORMERS, TUNED, WEBRERANK
from bench.native_peers import NATIVE
from bench.outcome import Results, median_of


def targets(results: Results) -> Iterable[Sequence[object]]:
    """Rows of what, measured, target, met or not."""

    def at_least(what: str, value: float, target: float) -> Sequence[object]:
        return what, f"{value:.2f}", f"at least {target}", _met(value >= target)

    def at_most(what: str, value: float, target: float) -> Sequence[object]:
        return what, f"{value:.3g}", f"at most {target}", _met(value <= target)

    for timing in results.timings:
        for peer, least in ((TRANSFORMERS, 5), (TUNED, 2)):
            if (ratio := timing.ratio(peer, WEBRERANK)) is not None:
                yield at_least(f"{timing.name}: {peer} / webrerank", ratio, least)
        if (ratio := timing.ratio(WEBRERANK, NATIVE)) is not None:
            yield at_most(f"{timing.name}: webrerank / {NATIVE}", ratio, 1.9)
    yield at_most("Python, tokenising, messages, share", median_of(results.calls, "overhead"), 0.05)
    yield at_least("balance of the sessions", median_of(results.calls, "balance"), 0.95)
    yield at_most("Python with numpy ready / plain", results.python_start.ratio, 0.35)
    yield at_most("first ranked list / transformers.js", results.first_list.ratio, 1.2)
    visits = results.first_visits
    ratio = visits["webrerank"].total / visits["transformers"].total
    yield at_most("first visit, bytes / transformers.js", ratio, 1.3)


def _met(met: bool) -> str:
    return "met" if met else "**not met**"
