"""A long life: reranks, aborts and model switches leave nothing behind, wherever one looks.

`WEBRERANK_SOAK=FOLDER python build.py test tests/e2e/soak` is the long version; it writes
soak.json and soak.svg into the folder. The reranker that stays has a tiny model, as with
the bundled one 20 minutes were not enough; each second one that comes and goes has that.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import OpenPage
from tests.e2e.gauges import Gauges, Numbers
from tests.e2e.models import POSITIONS, tiny_model
from tests.e2e.soak.flatness import risen, write_record
from tests.e2e.support import Watch, link_model, pending_calls, run, wait_for_workers_to_end

TINY = {"model": "./e2e-models/soak/", "dtype": "fp32", "device": "wasm", "cache": False}
BUNDLED = {"device": "wasm", "cache": False}

#: Workers of the reranker that stays: Python and two sessions.
STAYING = 3


@dataclass(frozen=True)
class Plan:
    """A leg: calls on a reranker that stays, and on one that comes and goes; then a look."""

    legs: int
    #: legs of which nothing is asked: the engines compile, Python fills its caches
    warm_up: int
    reranks: int
    aborts: int
    visit_reranks: int
    visit_aborts: int

    @property
    def calls(self) -> int:
        """Calls between the first look after the warm-up and the last."""
        a_leg = self.reranks + self.aborts + self.visit_reranks + self.visit_aborts
        return (self.legs - self.warm_up) * a_leg


SHORT = Plan(legs=6, warm_up=2, reranks=40, aborts=12, visit_reranks=2, visit_aborts=1)
#: In all 1,000 reranks, 300 aborts and 20 switches.
LONG = Plan(legs=20, warm_up=4, reranks=40, aborts=12, visit_reranks=10, visit_aborts=3)


def live(page: Page, plan: Plan) -> list[Numbers]:
    """Carry out a plan; what there was to see after each leg, all being quiet."""
    gauges = Gauges(page)
    run(page, "await t.start(arg)", {**TINY, "sessions": 2})
    samples = []
    for leg in range(plan.legs):
        run(page, "await soak.mix(t.reranker, ...arg)", [plan.reranks, plan.aborts])
        visitor = {**(BUNDLED if leg % 2 else TINY), "sessions": 1}
        counts = [plan.visit_reranks, plan.visit_aborts]
        run(page, "await soak.visit(...arg)", [visitor, *counts])
        assert pending_calls(page) == []
        gauges.wait_for_workers(STAYING)
        samples.append(gauges.read())
    return samples


def test_soak(open_page: OpenPage, site_folder: Path, watch: Watch) -> None:
    folder = os.environ.get("WEBRERANK_SOAK")
    plan = LONG if folder else SHORT
    model = site_folder / "e2e-models" / "soak"
    link_model(model, "onnx/model.onnx", tiny_model(), max_position_embeddings=POSITIONS)
    # A folder cannot be listed: each precision is asked for, and the browser logs a miss.
    watch.allow(r"404 .*/onnx/model_(quantized|fp16)\.onnx")
    page = open_page()
    page.evaluate(f"() => {{ {Path(__file__).with_name('soak.js').read_text(encoding='utf-8')} }}")
    samples = live(page, plan)
    if folder:
        write_record(Path(folder), samples, {"plan": asdict(plan)})
    assert samples[-1]["page"]["workers"] == STAYING
    assert not risen(samples[plan.warm_up - 1 :], plan.calls)
    run(page, "await t.reranker.dispose()")
    wait_for_workers_to_end(page)


@pytest.mark.parametrize(
    ("gauge", "kept"),
    [
        ("listeners", 1),
        ("PyProxies", 1),
        ("wasm", 2**16),
        ("Python objects", 100),
        ("JS heap", 5e5),
    ],
)
def test_what_counts_as_a_leak(gauge: str, kept: float) -> None:
    """One listener or proxy in all; one object in five calls; 1 KB a call."""
    before, after = {"page": {gauge: 9}}, {"page": {gauge: 9 + int(kept)}}
    assert not risen([before, before], 500)
    assert risen([before, after], 500)
