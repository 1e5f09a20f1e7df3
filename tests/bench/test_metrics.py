"""What bench/ says about rankings follows the definitions."""

import pytest

from bench.metrics import ndcg, reciprocal_rank
from bench.summary import kendall_tau, spread

GRADES = {"best": 3, "good": 1, "bad": 0, "not retrieved": 2}


def test_ndcg_has_linear_gain_and_the_ideal_of_all_judgements() -> None:
    gained = 1 / 1 + 3 / 2  # log2(rank + 1) is 1, log2(3), 2 at the ranks 1, 2, 3
    ideal = 3 / 1 + 2 / 1.5849625007211562 + 1 / 2
    assert ndcg(["good", "unjudged", "best"], GRADES) == pytest.approx(gained / ideal)
    assert ndcg(["best", "not retrieved", "good"], GRADES) == pytest.approx(1)
    assert ndcg(["bad"], {"bad": 0}) == 0


def test_ndcg_ends_at_its_depth() -> None:
    assert ndcg(["bad", "best"], GRADES, depth=1) == 0


def test_reciprocal_rank_counts_from_the_least_grade() -> None:
    assert reciprocal_rank(["bad", "good", "best"], GRADES, least=1) == 1 / 2
    assert reciprocal_rank(["bad", "good", "best"], GRADES, least=2) == 1 / 3
    assert reciprocal_rank(["bad"] * 10 + ["best"], GRADES, least=2) == 0


def test_kendall_tau_sees_order_reversal_and_a_ranking_that_says_nothing() -> None:
    assert kendall_tau([3, 2, 1], [30, 20, 10]) == pytest.approx(1)
    assert kendall_tau([3, 2, 1], [1, 2, 3]) == pytest.approx(-1)
    assert kendall_tau([0, 0, 0], [1, 2, 3]) == 0


def test_spread_is_median_and_quartiles() -> None:
    measured = spread([5, 1, 2, 4, 3])
    assert (measured.q1, measured.median, measured.q3) == (2, 3, 4)
