"""A model's files, tried in the browser and natively: both answer alike, or refuse with a code."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import Any

from tests.fuzz import native
from tests.fuzz.lab import Lab, judge
from tests.fuzz.native import DOCUMENTS, QUERY, Files
from tests.fuzz.oracle import Oracle

#: After so many cases the workers of models are new: a session that is replaced is not freed.
WORKER_CASES = 15

Logits = Sequence[float | None]


class Both:
    """Keeps its workers from case to case."""

    def __init__(self, lab: Lab, oracle: Oracle) -> None:
        self._lab = lab
        self._oracle = oracle
        self._cases = 0

    def compare(self, files: Files, tolerance: float, *, in_browser: bool = True) -> str:
        """What is wrong; '' if nothing."""
        natively = self._oracle.ask(native.logits, files)
        wrong = native.judge(natively)
        if wrong or not in_browser:
            return wrong
        outcome = self._in_browser(files)
        wrong = judge(outcome) or self._lab.complaint()
        if wrong or "value" not in outcome or not natively or natively[0] != "value":
            return wrong
        answer = [None if logit != logit else logit for logit in outcome["value"]]
        if _alike(answer, natively[1], tolerance):
            return ""
        unfused = self._oracle.ask(native.logits, files, False)
        if unfused and not _alike(unfused[1], natively[1], tolerance / 2):
            return ""  # so ill-conditioned that there is no right answer
        return f"another answer than natively: {answer} instead of {natively[1]}"

    def _in_browser(self, files: Files) -> dict[str, Any]:
        outcome = self._lab.run(
            "return t.rerankWith(arg[0].map(t.fileOf), 'fp32', arg[1], arg[2])",
            [listed(files), QUERY, DOCUMENTS],
        )
        self._cases += 1
        if "late" in outcome or "crash" in outcome:
            self._lab.renew()
        elif "error" in outcome or self._cases % WORKER_CASES == 0:
            self._lab.run("t.endWorkers(['model-worker', 'session-worker'])")
        return outcome


def listed(files: Files) -> list[dict[str, str]]:
    """What `t.fileOf` makes files of."""
    return [
        {"path": f"folder/{name}", "base64": base64.b64encode(content).decode()}
        for name, content in files.items()
    ]


def _alike(one: Logits, other: Logits, tolerance: float) -> bool:
    def near(a: float | None, b: float | None) -> bool:
        if a is None or b is None or not (math.isfinite(a) and math.isfinite(b)):
            return a is b
        return abs(a - b) <= tolerance * (1 + max(abs(a), abs(b)))

    return len(one) == len(other) and all(map(near, one, other))
