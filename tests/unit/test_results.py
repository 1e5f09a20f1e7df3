"""Ranking: the order of results and their numbers."""

from dataclasses import replace

import pytest

from webrerank.errors import InferenceError
from webrerank.results import RerankResult, rank_results
from webrerank.scoring import score_of


def result(index: int, logit: float | None) -> RerankResult:
    score = 0.0 if logit is None else score_of(logit)
    return RerankResult(index, None, score, logit, f"document {index}", False)


def scored(*logits: float | None) -> list[RerankResult]:
    return [result(index, logit) for index, logit in enumerate(logits)]


def order(results: list[RerankResult]) -> list[int]:
    return [one.index for one in results]


def test_best_first_and_ranks_from_one() -> None:
    ranked = rank_results(scored(-1.0, 3.0, 0.5), None, None)
    assert order(ranked) == [1, 2, 0]
    assert [one.rank for one in ranked] == [1, 2, 3]


def test_equal_scores_keep_input_order() -> None:
    assert order(rank_results(scored(1.0, 2.0, 1.0, 2.0, 1.0), None, None)) == [1, 3, 0, 2, 4]


def test_logits_rank_where_scores_saturate() -> None:
    ranked = rank_results(scored(38.0, 60.0, 45.0, 60.0), None, None)
    assert {one.score for one in ranked} == {1.0}
    assert order(ranked) == [1, 3, 2, 0]


def test_what_failed_is_behind_all_scores_and_before_blanks() -> None:
    results = scored(None, 0.0, -9.0, None, 0.0)
    for index in (1, 4):
        results[index] = replace(result(index, None), error=InferenceError("failed"))
    assert order(rank_results(results, None, None)) == [2, 1, 4, 0, 3]
    assert order(rank_results(results, None, 1e-300)) == [2]


def test_input_order_holds_even_if_results_came_in_another() -> None:
    assert order(rank_results(scored(1.0, 1.0, 1.0)[::-1], None, None)) == [0, 1, 2]


def test_blank_documents_are_last_in_input_order() -> None:
    ranked = rank_results(scored(None, -900.0, None, 2.0), None, None)
    assert order(ranked) == [3, 1, 0, 2]
    assert [one.rank for one in ranked] == [1, 2, 3, 4]


def test_a_blank_is_behind_a_document_of_the_same_score() -> None:
    tied = RerankResult(1, None, 0.0, -9999.0, "", False)
    assert order(rank_results([result(0, None), tied], None, None)) == [1, 0]


@pytest.mark.parametrize("top_k", [1, 2, 3, 4, 1000])
def test_top_k_cuts_and_may_be_above_the_count(top_k: int) -> None:
    assert order(rank_results(scored(0.0, 2.0, 1.0), top_k, None)) == [1, 2, 0][:top_k]


def test_min_score_keeps_its_own_value() -> None:
    assert order(rank_results(scored(0.0, 1.0, -0.1), None, 0.5)) == [1, 0]


def test_min_score_of_zero_keeps_blanks_and_above_drops_them() -> None:
    assert order(rank_results(scored(None, 0.0), None, 0.0)) == [1, 0]
    assert order(rank_results(scored(None, 0.0), None, 1e-300)) == [1]


def test_min_score_filters_before_top_k_cuts() -> None:
    ranked = rank_results(scored(-9.0, 1.0, -9.0, 2.0), 3, 0.5)
    assert order(ranked) == [3, 1]
    assert [one.rank for one in ranked] == [1, 2]


def test_what_was_scored_stays_as_it_was() -> None:
    before = scored(1.0, None, 2.0)
    document = before[0].document
    ranked = rank_results(before, 2, None)
    assert before == scored(1.0, None, 2.0)
    assert ranked[1].document is document
    assert ranked[1].logit == 1.0
