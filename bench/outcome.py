"""What one run of the bench brings out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.browser_peers import Tuning
from bench.overhead import Call
from bench.plan import Plan
from bench.score_check import ScoreCheck
from bench.start import FirstList, PythonStart
from bench.timing import Timing
from bench.transfer import FirstVisit


@dataclass(frozen=True)
class Results:
    """Everything one run measured."""

    machine: dict[str, Any]
    versions: dict[str, str]
    plan: Plan
    tunings: list[Tuning]
    score_checks: list[ScoreCheck]
    timings: list[Timing]
    by_documents: list[Timing]
    by_tokens: list[Timing]
    by_sessions: Timing
    calls: list[Call]
    python_start: PythonStart
    first_list: FirstList
    first_visits: dict[str, FirstVisit]


def median_of(calls: Sequence[Call], name: str) -> float:
    """The median of one of the calls' numbers."""
    return float(np.median([getattr(call, name) for call in calls]))
