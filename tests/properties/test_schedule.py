"""The plan of runs, and that whatever it is, each pair is run once and told rightly."""

from __future__ import annotations

import asyncio
import itertools
from functools import partial

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import FakePool
from webrerank.errors import InferenceError
from webrerank.pairs import EncodedPair
from webrerank.schedule import BATCH_TOKENS, plan_batches, run_pairs

lengths = st.lists(st.integers(1, 600) | st.sampled_from([BATCH_TOKENS, BATCH_TOKENS + 1]))


@given(lengths, st.integers(1, 20))
def test_the_plan(lengths: list[int], max_rows: int) -> None:
    plan = plan_batches(lengths, max_rows)
    places = [place for batch in plan for place in batch]
    assert sorted(places) == list(range(len(lengths))), "each place exactly once"
    in_order = [lengths[place] for place in places]
    assert in_order == sorted(lengths, reverse=True), "longest first"
    for batch in plan:
        assert 1 <= len(batch) <= max_rows
        assert len(batch) == 1 or len(batch) * lengths[batch[0]] <= BATCH_TOKENS
    for batch, following in itertools.pairwise(plan):
        full = len(batch) == max_rows or (len(batch) + 1) * lengths[batch[0]] > BATCH_TOKENS
        assert full and following, "no run is begun while the one before has room"


def pair(number: int, length: int) -> EncodedPair:
    ids = np.full(length, number, np.int64)
    return EncodedPair(ids, np.zeros(length, np.int64), False, False)


def no_failure(_place: int, error: InferenceError) -> None:
    raise error


run_all = partial(run_pairs, on_failure=no_failure)


@settings(max_examples=60)
@given(st.lists(st.integers(1, 300), max_size=40), st.integers(1, 9), st.integers(1, 4))
def test_each_pair_gets_its_own_logit_once(
    lengths: list[int], max_rows: int, capacity: int
) -> None:
    told: dict[int, float] = {}

    def on_logit(place: int, logit: float) -> None:
        assert place not in told
        told[place] = logit

    pool = FakePool(capacity=capacity, max_rows=max_rows, model=lambda ids, _types: [float(ids[0])])
    pairs = [pair(number, length) for number, length in enumerate(lengths, 1)]
    asyncio.run(run_all(pairs, pool, 0, on_logit))
    assert told == {place: place + 1.0 for place in range(len(lengths))}
    assert pool.most_running <= capacity
