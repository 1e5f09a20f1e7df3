"""What every adapter of the SessionPool port keeps to."""

import asyncio
import time
from collections.abc import Sequence

import numpy as np
import pytest

from tests.fakes import BERT
from webrerank.errors import InferenceError
from webrerank.pairs import PairBatch, pad_batch
from webrerank.ports import SessionPool
from webrerank.scoring import FloatArray

#: Token ids in the bundled model's vocabulary; to the fake they are just numbers.
QUERY = [2129, 2116, 2111, 2444, 1999, 4068, 1029]  # how many people live in berlin ?
RELEVANT = [4068, 2038, 1037, 2313, 1997, 1017, 1010, 19611, 1010, 6021, 2487, 5068, 4864, 1012]
IRRELEVANT = [2047, 2259, 2103, 2003, 3297, 2005, 2049, 9941, 1012]

#: Beyond any vocabulary.
NO_TOKEN = 10**6


def batch_of(*documents: Sequence[int]) -> PairBatch:
    query = np.asarray(QUERY, np.int32)
    pairs = [BERT.encode(query, np.asarray(one, np.int32), 512) for one in documents]
    return pad_batch(pairs, 0)


#: Different lengths, so that runs end in another order than they began.
MANY = [batch_of([2000 + place, *RELEVANT[: place % 5], 3000]) for place in range(24)]


async def run_each(pool: SessionPool) -> list[FloatArray]:
    return [await pool.run(batch) for batch in MANY]


def test_limits_are_whole_numbers_of_at_least_one(pool: SessionPool) -> None:
    assert isinstance(pool.capacity, int)
    assert isinstance(pool.max_rows, int)
    assert list(pool.lengths) == sorted(pool.lengths)
    assert pool.capacity >= 1
    assert pool.max_rows >= 1


def test_a_run_gives_float32_of_rows_by_logits(pool: SessionPool) -> None:
    logits = asyncio.run(pool.run(batch_of(RELEVANT)))
    assert logits.dtype == np.float32
    assert logits.shape in ((1, 1), (1, 2))
    assert np.isfinite(logits).all()


def test_the_relevant_document_has_the_higher_logit(pool: SessionPool) -> None:
    relevant = asyncio.run(pool.run(batch_of(RELEVANT)))
    irrelevant = asyncio.run(pool.run(batch_of(IRRELEVANT)))
    assert relevant[0, -1] > irrelevant[0, -1]


def test_as_many_rows_as_allowed_run_together(pool: SessionPool) -> None:
    documents = [[2000 + row] * (row + 1) for row in range(pool.max_rows)]
    logits = asyncio.run(pool.run(batch_of(*documents)))
    assert len(logits) == pool.max_rows
    assert len(set(logits[:, -1].tolist())) == pool.max_rows


def test_the_same_pair_has_the_same_logit_bit_for_bit(pool: SessionPool) -> None:
    first, again = asyncio.run(run_each(pool)), asyncio.run(run_each(pool))
    for left, right in zip(first, again, strict=True):
        assert left.tobytes() == right.tobytes()


def test_different_documents_have_different_logits(pool: SessionPool) -> None:
    logits = [one[0, -1] for one in asyncio.run(run_each(pool))]
    assert len(set(logits)) == len(MANY)


def test_the_token_types_matter(pool: SessionPool) -> None:
    batch = batch_of(RELEVANT)
    flat = PairBatch(batch.input_ids, batch.attention_mask, np.zeros_like(batch.token_type_ids))
    usual, changed = asyncio.run(pool.run(batch)), asyncio.run(pool.run(flat))
    assert usual.tobytes() != changed.tobytes()


def test_overlapping_runs_each_get_their_own_answer(pool: SessionPool) -> None:
    async def scenario() -> None:
        wanted = await run_each(pool)
        given = await asyncio.gather(*[pool.run(batch) for batch in MANY])
        for left, right in zip(wanted, given, strict=True):
            assert left.tobytes() == right.tobytes()

    asyncio.run(scenario())


def test_the_batch_is_not_changed_and_can_be_run_again(pool: SessionPool) -> None:
    batch = batch_of(RELEVANT)
    first = asyncio.run(pool.run(batch))
    fresh = batch_of(RELEVANT)
    for name in ("input_ids", "attention_mask", "token_type_ids"):
        assert getattr(batch, name).tolist() == getattr(fresh, name).tolist()
    assert asyncio.run(pool.run(batch)).tobytes() == first.tobytes()


def test_a_pair_of_the_models_full_length_runs(pool: SessionPool) -> None:
    batch = batch_of([3000] * 1000)
    assert batch.input_ids.shape == (1, 512)
    assert asyncio.run(pool.run(batch)).shape[0] == 1


def test_a_failed_run_is_an_inference_error_and_spoils_nothing(pool: SessionPool) -> None:
    async def scenario() -> None:
        wanted = await pool.run(batch_of(RELEVANT))
        runs = [pool.run(batch_of(one)) for one in (RELEVANT, [NO_TOKEN], RELEVANT, [NO_TOKEN])]
        answers = await asyncio.gather(*runs, return_exceptions=True)
        for place, answer in enumerate(answers):
            if place % 2:
                assert isinstance(answer, InferenceError)
                assert str(NO_TOKEN) not in str(answer)
            else:
                assert isinstance(answer, np.ndarray)
                assert answer.tobytes() == wanted.tobytes()
        assert (await pool.run(batch_of(RELEVANT))).tobytes() == wanted.tobytes()

    asyncio.run(scenario())


def test_a_cancel_raises_at_once_and_spoils_no_neighbour(pool: SessionPool) -> None:
    async def scenario() -> None:
        wanted = await run_each(pool)
        tasks = [asyncio.ensure_future(pool.run(batch)) for batch in MANY]
        await asyncio.sleep(0)
        started = time.monotonic()
        for task in tasks[::2]:
            task.cancel()
        for task in tasks[::2]:
            with pytest.raises(asyncio.CancelledError):
                await task
        assert time.monotonic() - started < 1
        for place in range(1, len(MANY), 2):
            assert (await tasks[place]).tobytes() == wanted[place].tobytes()
        assert (await pool.run(MANY[0])).tobytes() == wanted[0].tobytes()

    asyncio.run(scenario())


def test_cancelling_all_frees_the_pool(pool: SessionPool) -> None:
    async def scenario() -> None:
        for _ in range(3):
            tasks = [asyncio.ensure_future(pool.run(batch)) for batch in MANY]
            await asyncio.sleep(0.005)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert len(await asyncio.wait_for(pool.run(MANY[0]), 30)) == 1

    asyncio.run(scenario())
