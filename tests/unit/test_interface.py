"""What a run is fed, by what the graph wants."""

import numpy as np
import pytest

from webrerank.errors import UnsupportedModelError
from webrerank.interface import ModelInterface, check_answer
from webrerank.pairs import PairBatch

IDS = np.asarray([[5, 6, 7], [8, 9, 0]], np.int64)
BATCH = PairBatch(IDS, (IDS > 0).astype(np.int64), np.asarray([[0, 0, 1], [0, 1, 0]], np.int64))


def test_inputs_have_the_graphs_order_and_types() -> None:
    feeds = ModelInterface({"attention_mask": np.int32, "input_ids": np.int64}).feeds(BATCH)
    assert list(feeds) == ["attention_mask", "input_ids"]
    assert feeds["attention_mask"].dtype == np.int32
    assert feeds["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]
    assert feeds["input_ids"].dtype == np.int64
    assert feeds["input_ids"].tolist() == IDS.tolist()


def test_rows_that_are_wanting_are_copies_of_the_last_pair() -> None:
    feeds = ModelInterface(rows=4).feeds(BATCH)
    assert feeds["input_ids"].tolist() == [[5, 6, 7], *[[8, 9, 0]] * 3]
    assert feeds["attention_mask"].tolist() == [[1, 1, 1], *[[1, 1, 0]] * 3]
    assert feeds["token_type_ids"].tolist() == [[0, 0, 1], *[[0, 1, 0]] * 3]
    assert BATCH.input_ids.shape == (2, 3), "what was given is unchanged"


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_rows_that_are_not_wanting_are_not_copied(rows: int) -> None:
    assert ModelInterface(rows=rows).feeds(BATCH)["input_ids"].tolist() == IDS.tolist()


@pytest.mark.parametrize(("first", "rows"), [(0, 0), (2, 3)])
def test_positions_count_up_from_the_models_first(first: int, rows: int) -> None:
    interface = ModelInterface(
        {"input_ids": np.int64, "position_ids": np.int32}, rows=rows, first_position=first
    )
    feeds = interface.feeds(BATCH)
    assert feeds["position_ids"].tolist() == [[first, first + 1, first + 2]] * (rows or 2)
    assert feeds["position_ids"].dtype == np.int32


@pytest.mark.parametrize("shape", [(1, 3), (1, 384), (1, 8, 384), (1,), ()], ids=str)
def test_answers_that_no_reranker_gives_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UnsupportedModelError, match="shape"):
        check_answer(np.zeros(shape, np.float32))


@pytest.mark.parametrize("labels", [1, 2])
def test_answers_of_a_reranker_are_not(labels: int) -> None:
    check_answer(np.zeros((1, labels), np.float32))
