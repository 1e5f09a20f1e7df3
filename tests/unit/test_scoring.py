"""Scoring: from raw numbers to logits and scores."""

import itertools
import math

import numpy as np
import pytest

from webrerank.errors import InferenceError
from webrerank.scoring import relevance_logits, score_of


@pytest.mark.parametrize(
    ("logit", "score"),
    [
        (0.0, 0.5),
        (-0.0, 0.5),
        (math.log(3), 0.75),
        (-math.log(3), 0.25),
        (9.169, 1 / (1 + math.exp(-9.169))),
        (-11.007, 1 / (1 + math.exp(11.007))),
    ],
)
def test_score_is_the_sigmoid(logit: float, score: float) -> None:
    assert score_of(logit) == pytest.approx(score, rel=1e-12)


@pytest.mark.parametrize("size", [37.0, 700.0, 745.0, 1e6, 3.4e38, 1.7e308])
def test_score_of_extremes_stays_in_bounds(size: float) -> None:
    assert score_of(size) == 1.0
    assert 0.0 < score_of(-size) < 1e-15


def test_score_keeps_the_order_of_logits() -> None:
    scores = [score_of(logit / 8) for logit in range(-240, 241)]
    assert all(low < high for low, high in itertools.pairwise(scores))


def test_score_is_symmetric() -> None:
    for logit in (0.1, 1.0, 5.5, 20.0):
        assert score_of(logit) + score_of(-logit) == pytest.approx(1, abs=1e-15)


def test_one_output_is_the_logit() -> None:
    outputs = np.asarray([[1.5], [-2.25]], np.float32)
    logits = relevance_logits(outputs)
    assert logits == [1.5, -2.25]
    assert all(type(logit) is float for logit in logits)


def test_two_outputs_score_as_their_softmax() -> None:
    outputs = np.asarray([[1.0, 3.0], [2.5, -1.0], [0.0, 0.0]], np.float32)
    logits = relevance_logits(outputs)
    assert logits == [2.0, -3.5, 0.0]
    for (no, yes), logit in zip(outputs.tolist(), logits, strict=True):
        softmax = math.exp(yes) / (math.exp(no) + math.exp(yes))
        assert score_of(logit) == pytest.approx(softmax, rel=1e-12)


def test_two_large_outputs_do_not_overflow() -> None:
    (logit,) = relevance_logits(np.asarray([[-3e38, 3e38]], np.float32))
    assert math.isfinite(logit)
    assert score_of(logit) == 1.0


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_no_answer(bad: float, width: int) -> None:
    outputs = np.zeros((3, width), np.float32)
    outputs[1, 0] = bad
    with pytest.raises(InferenceError, match="not finite"):
        relevance_logits(outputs)


@pytest.mark.parametrize("shape", [(3,), (3, 3), (3, 0), (1, 3, 1), ()], ids=str)
def test_other_shapes_are_no_reranker(shape: tuple[int, ...]) -> None:
    with pytest.raises(InferenceError, match="shape"):
        relevance_logits(np.zeros(shape, np.float32))
