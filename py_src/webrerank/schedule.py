"""Which pairs run together, in which order, and how the sessions are kept busy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from webrerank.errors import InferenceError
from webrerank.model import ModelSpec
from webrerank.pairs import EncodedPair, PairBatch, pad_batch
from webrerank.ports import SessionPool
from webrerank.scoring import relevance_logits

#: Tokens, padding included, that one run of several pairs may hold: bounds its memory and time.
BATCH_TOKENS = 2048


def plan_batches(lengths: Sequence[int], max_rows: int) -> list[list[int]]:
    """Group pairs into batches, longest first.

    Longest first keeps the last batches short, so that no session idles at the end; it also puts
    pairs of like length side by side, so that little is padded.

    Args:
        lengths: tokens of each pair.
        max_rows: how many pairs a batch may hold.

    Returns:
        Places in `lengths`, each exactly once.
    """
    batches: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        current = batches[-1] if batches else None
        if current is not None and len(current) < max_rows:
            longest = lengths[current[0]]
            if longest * (len(current) + 1) <= BATCH_TOKENS:
                current.append(place)
                continue
        batches.append([place])
    return batches


def batch_shapes(pool: SessionPool) -> list[tuple[int, int]]:
    """The shapes (rows, length) of one pair and of a full batch, for each of the pool's lengths."""
    full = [(max(1, min(pool.max_rows, BATCH_TOKENS // length)), length) for length in pool.lengths]
    return sorted({(1, length) for length in pool.lengths} | set(full), key=lambda shape: shape[1])


def trial_batch(spec: ModelSpec, pool: SessionPool) -> PairBatch:
    """A short pair of ids that every vocabulary has, to see what a model answers."""
    one = np.ones(1, np.int64)
    pair = spec.template.encode(one, one, spec.max_length)
    return pad_batch([pair], spec.pad_id, _padded(len(pair.input_ids), pool.lengths))


async def run_pairs(
    pairs: Sequence[EncodedPair],
    pool: SessionPool,
    pad_id: int,
    on_logit: Callable[[int, float], None],
    on_failure: Callable[[int, InferenceError], None],
) -> None:
    """Run all pairs and report each logit as it becomes known.

    As many runs as the pool can use are under way at once. A pair that cannot be run costs no
    other: a batch that fails is run again pair by pair, and on_failure hears of the culprit. What
    is no fault of a pair (no session is left, a cancel, an error of the caller's) ends the others
    and is raised as it is.

    Args:
        on_logit: called with the place of the pair and its logit.
        on_failure: called with the place of a pair that cannot be run, and why.
    """

    async def run(places: list[int]) -> None:
        batch = pad_batch([pairs[place] for place in places], pad_id, lengths[places[0]])
        logits = await _logits_of(batch, pool)
        if not isinstance(logits, InferenceError):
            for place, logit in zip(places, logits, strict=True):
                on_logit(place, logit)
        elif len(places) == 1:
            on_failure(places[0], logits)
        else:
            for place in places:
                await run([place])

    async def feed(plan: Iterator[list[int]]) -> None:
        for places in plan:
            await run(places)

    lengths = [_padded(len(pair.input_ids), pool.lengths) for pair in pairs]
    batches = plan_batches(lengths, pool.max_rows)
    plan = iter(batches)  # one for all: whoever is free takes the next
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(pool.capacity, len(batches))):
                group.create_task(feed(plan))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _logits_of(batch: PairBatch, pool: SessionPool) -> list[float] | InferenceError:
    try:
        return relevance_logits(await pool.run(batch))
    except InferenceError as error:
        return error


def _padded(length: int, lengths: Sequence[int]) -> int:
    return next((each for each in lengths if each >= length), length)
