"""How soon something is there: Python with numpy, and the first ranked list."""

from __future__ import annotations

import json
from dataclasses import dataclass

from playwright.sync_api import BrowserContext

from bench.document_sets import DocumentSet
from bench.summary import Spread, spread
from bench.timing import say

#: Visits before the measured ones: caches fill, and Chromium keeps compiled code of the second.
WARMING_VISITS = 3

#: A visit that takes longer failed, ms.
LONGEST_MS = 120_000


@dataclass(frozen=True)
class PythonStart:
    """Time from `new Worker()` in ms."""

    plain: Spread  #: loadPyodide, loadPackage('numpy'), import numpy
    ours: Spread  #: the worker of dist/ says that Python is there
    ours_booted: Spread  #: the same worker has imported numpy and webrerank, too

    @property
    def ratio(self) -> float:
        return self.ours.median / self.plain.median


@dataclass(frozen=True)
class FirstList:
    """Time from navigation to the first ranked list on a warm cache, ms."""

    documents: int
    webrerank: Spread
    transformers: Spread

    @property
    def ratio(self) -> float:
        return self.webrerank.median / self.transformers.median


def measure_python_start(context: BrowserContext, origin: str, rounds: int) -> PythonStart:
    """Start both by turns in one page, each time in a new worker."""
    page = context.new_page()
    page.goto(f"{origin}bench/python-start.html")
    page.wait_for_function("globalThis.pythonStart")
    plain, ours = [], []
    for _ in range(WARMING_VISITS + rounds):
        plain.append(page.evaluate("pythonStart.plain()"))
        ours.append(page.evaluate("pythonStart.ours()"))
    page.close()
    start = PythonStart(
        spread([float(run["ms"]) for run in plain[WARMING_VISITS:]]),
        spread([float(run["ms"]) for run in ours[WARMING_VISITS:]]),
        spread([float(run["bootMs"]) for run in ours[WARMING_VISITS:]]),
    )
    say(f"  plain {start.plain.median:.0f} ms, ours {start.ours.median:.0f} ms")
    return start


def measure_first_list(
    context: BrowserContext, origin: str, documents: DocumentSet, rounds: int
) -> FirstList:
    """Visit both pages by turns, each time in a new tab."""
    times: dict[str, list[float]] = {"webrerank": [], "transformers": []}
    for _ in range(WARMING_VISITS + rounds):
        for name, values in times.items():
            values.append(visit_first_list(context, origin, name, documents))
    measured = {name: spread(values[WARMING_VISITS:]) for name, values in times.items()}
    for name, value in measured.items():
        say(f"  {name} {value.median:.0f} ms")
    return FirstList(len(documents.documents), **measured)


def visit_first_list(
    context: BrowserContext, origin: str, name: str, documents: DocumentSet
) -> float:
    """One visit in a new tab; the time that the page tells, ms since navigation."""
    request = json.dumps({"query": documents.query, "documents": documents.documents})
    page = context.new_page()
    page.add_init_script(f"globalThis.request = {request}")
    page.goto(f"{origin}bench/first-list-{name}.html")
    page.wait_for_function("globalThis.firstList", timeout=LONGEST_MS)
    ms = float(page.evaluate("firstList.ms"))
    page.close()
    return ms
