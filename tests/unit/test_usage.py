"""What a call says that it did."""

import asyncio

from tests.fakes import fake_reranker
from webrerank.results import Usage


def test_a_call_that_did_nothing_counts_nothing() -> None:
    assert not any(vars(Usage()).values())


def test_a_query_that_lost_tokens_in_one_pair_of_two_is_told() -> None:
    reranker = fake_reranker(max_length=16)
    query, short, long = "q " * 8, "a", "b " * 20
    ranking = asyncio.run(reranker.rerank(query, [short, long]))
    assert ranking.usage.query_truncated
    assert not asyncio.run(reranker.rerank(query, [short])).usage.query_truncated
