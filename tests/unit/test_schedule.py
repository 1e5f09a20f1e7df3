"""The schedule: what runs together, how busy the sessions are, and how a run of pairs ends."""

import asyncio
from functools import partial

import numpy as np
import pytest

from tests.fakes import PAD, FakePool
from webrerank.errors import InferenceError, WorkerCrashedError
from webrerank.pairs import EncodedPair, PairBatch
from webrerank.schedule import BATCH_TOKENS, batch_shapes, plan_batches, run_pairs
from webrerank.scoring import FloatArray

LENGTHS = [
    pytest.param([], id="none"),
    pytest.param([5], id="one"),
    pytest.param([3, 9, 9, 1, 512, 40, 40, 40, 2, 77], id="mixed"),
    pytest.param([512] * 9, id="all of the longest"),
    pytest.param([BATCH_TOKENS + 1, BATCH_TOKENS, 1], id="above the budget"),
    pytest.param(list(range(1, 200)), id="many"),
]


@pytest.mark.parametrize("max_rows", [1, 2, 8, 1000])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_plan_holds_each_place_once_within_its_limits(lengths: list[int], max_rows: int) -> None:
    plan = plan_batches(lengths, max_rows)
    assert sorted(place for batch in plan for place in batch) == list(range(len(lengths)))
    for batch in plan:
        assert 1 <= len(batch) <= max_rows
        longest = max(lengths[place] for place in batch)
        assert len(batch) == 1 or longest * len(batch) <= BATCH_TOKENS


@pytest.mark.parametrize("max_rows", [1, 8])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_plan_has_the_longest_first(lengths: list[int], max_rows: int) -> None:
    in_order = [lengths[place] for batch in plan_batches(lengths, max_rows) for place in batch]
    assert in_order == sorted(lengths, reverse=True)


def test_plan_fills_its_batches() -> None:
    assert plan_batches([10] * 16, 8) == [list(range(8)), list(range(8, 16))]
    assert [len(batch) for batch in plan_batches([512] * 8, 8)] == [4, 4]
    assert [len(batch) for batch in plan_batches([5, 6, 7], 1)] == [1, 1, 1]


def pair(*values: int) -> EncodedPair:
    types = np.ones(len(values), np.int64)
    return EncodedPair(np.asarray(values, np.int64), types, False, False)


def raise_it(_place: int, error: InferenceError) -> None:
    """Where no pair is to fail."""
    raise error


run_all = partial(run_pairs, on_failure=raise_it)

PAIRS = [pair(*range(first, first + 3 + first % 4)) for first in range(10, 30)]


def first_id(input_ids: object, _types: object) -> list[float]:
    """A model whose logit says which pair it was."""
    return [float(input_ids[0])]  # type: ignore[index]


WANTED = {place: float(place + 10) for place in range(len(PAIRS))}


@pytest.mark.parametrize("max_rows", [1, 8])
@pytest.mark.parametrize("capacity", [1, 3, 100])
def test_each_pair_gets_its_own_logit_once(capacity: int, max_rows: int) -> None:
    pool = FakePool(capacity=capacity, max_rows=max_rows, model=first_id)
    seen: list[tuple[int, float]] = []
    asyncio.run(run_all(PAIRS, pool, PAD, lambda *logit: seen.append(logit)))
    assert dict(seen) == WANTED
    assert len(seen) == len(PAIRS)
    batches = len(plan_batches([len(one.input_ids) for one in PAIRS], max_rows))
    assert pool.most_running == min(capacity, batches)


def test_no_pairs_run_nothing() -> None:
    pool = FakePool()
    asyncio.run(run_all([], pool, PAD, lambda *_: pytest.fail("a logit of nothing")))
    assert pool.batches == []


def test_padding_has_the_models_id() -> None:
    pool = FakePool(max_rows=2, model=first_id)
    asyncio.run(run_all([pair(5), pair(6, 7)], pool, 77, lambda *_: None))
    assert pool.batches[0].input_ids.tolist() == [[6, 7], [5, 77]]


def test_logits_are_told_as_they_become_known() -> None:
    async def scenario() -> None:
        pool = FakePool(capacity=1, model=first_id)
        known: list[int] = []

        def on_logit(place: int, _logit: float) -> None:
            known.append(place)
            assert len(pool.batches) == len(known)

        await run_all(PAIRS, pool, PAD, on_logit)
        assert len(known) == len(PAIRS)

    asyncio.run(scenario())


@pytest.mark.parametrize("failure", [InferenceError("told to"), WorkerCrashedError("told to")])
def test_the_first_failure_is_raised_as_itself_and_ends_the_others(failure: Exception) -> None:
    async def scenario() -> None:
        pool = FakePool(capacity=3, model=first_id, fail_on=20, failure=failure)
        with pytest.raises(type(failure)) as caught:
            await run_all(PAIRS, pool, PAD, lambda *_: None)
        assert caught.value is failure
        assert pool.running == 0
        begun = len(pool.batches)
        assert begun < len(PAIRS)
        await asyncio.sleep(0.01)
        assert len(pool.batches) == begun

    asyncio.run(scenario())


def test_a_failure_ends_runs_that_are_under_way() -> None:
    class OneFails:
        capacity = 3
        max_rows = 1
        lengths = ()
        ended = 0

        async def run(self, batch: PairBatch) -> FloatArray:
            if batch.input_ids[0, 0] == 10:
                raise InferenceError("at once")
            try:
                await asyncio.sleep(60)
            finally:
                self.ended += 1
            raise AssertionError

    async def scenario() -> None:
        pool = OneFails()
        with pytest.raises(InferenceError, match="at once"):
            await asyncio.wait_for(run_all(PAIRS[:3], pool, PAD, lambda *_: None), 10)
        assert pool.ended <= 2

    asyncio.run(scenario())


def test_a_failed_call_does_not_spoil_the_next() -> None:
    async def scenario() -> None:
        pool = FakePool(capacity=2, model=first_id, fail_on=20)
        with pytest.raises(InferenceError):
            await run_all(PAIRS, pool, PAD, lambda *_: None)
        seen: list[tuple[int, float]] = []
        await run_all(PAIRS[:5], pool, PAD, lambda *logit: seen.append(logit))
        assert sorted(seen) == [(place, WANTED[place]) for place in range(5)]

    asyncio.run(scenario())


def test_a_cancel_ends_all_runs_and_begins_no_more() -> None:
    async def scenario() -> None:
        pool = FakePool(capacity=3, hold=True)
        task = asyncio.ensure_future(run_all(PAIRS, pool, PAD, lambda *_: None))
        while pool.running < 3:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (pool.running, pool.cancelled, len(pool.batches)) == (0, 3, 3)
        pool.release()
        seen: list[tuple[int, float]] = []
        await run_all(PAIRS, pool, PAD, lambda *logit: seen.append(logit))
        assert len(seen) == len(PAIRS)

    asyncio.run(scenario())


def test_an_error_of_the_callback_is_raised_as_itself() -> None:
    def on_logit(_place: int, _logit: float) -> None:
        raise LookupError("the caller's")

    pool = FakePool(capacity=2)
    with pytest.raises(LookupError, match="the caller's"):
        asyncio.run(run_all(PAIRS, pool, PAD, on_logit))
    assert pool.running == 0


def test_too_few_logits_are_no_answer() -> None:
    class Short:
        capacity = 1
        max_rows = 8
        lengths = ()

        async def run(self, batch: PairBatch) -> FloatArray:
            return np.zeros((len(batch.input_ids) - 1, 1), np.float32)

    with pytest.raises(ValueError, match="shorter"):
        asyncio.run(run_all(PAIRS, Short(), PAD, lambda *_: None))


def test_runs_are_padded_to_the_lengths_a_pool_wants() -> None:
    pairs = [pair(*range(first, first + size)) for first, size in [(3, 3), (4, 9), (5, 8), (6, 20)]]
    seen: dict[int, float] = {}
    one_each = FakePool(max_rows=1, lengths=(8, 12), model=first_id)
    asyncio.run(run_all(pairs, one_each, PAD, seen.__setitem__))
    assert [batch.input_ids.shape for batch in one_each.batches] == [
        (1, 20),
        (1, 12),
        (1, 8),
        (1, 8),
    ]
    assert [int(batch.attention_mask.sum()) for batch in one_each.batches] == [20, 9, 3, 8]
    assert seen == {0: 3, 1: 4, 2: 5, 3: 6}

    two_each = FakePool(max_rows=2, lengths=(8, 12), model=first_id)
    asyncio.run(run_all(pairs[:3], two_each, PAD, seen.__setitem__))
    assert [batch.input_ids.shape for batch in two_each.batches] == [(2, 12), (1, 8)]


def test_shapes_to_compile_for_keep_to_the_token_budget() -> None:
    shapes = batch_shapes(FakePool(max_rows=8, lengths=(32, 256, 512)))
    assert [sorted(shapes[at : at + 2]) for at in (0, 2, 4)] == [
        [(1, 32), (8, 32)],
        [(1, 256), (8, 256)],
        [(1, 512), (4, 512)],
    ]
    assert batch_shapes(FakePool(max_rows=1)) == []
    assert batch_shapes(FakePool(max_rows=1, lengths=(32,))) == [(1, 32)]
    assert batch_shapes(FakePool(lengths=(BATCH_TOKENS + 1,))) == [(1, BATCH_TOKENS + 1)]
