"""Pairs: where the special tokens stand, and what is cut when there is no room."""

from typing import Any

import numpy as np
import pytest

from tests.fakes import BERT
from webrerank.errors import UnsupportedModelError
from webrerank.pairs import (
    EncodedPair,
    IntArray,
    PairTemplate,
    pad_batch,
    pair_template,
    truncate_longest_first,
)

BERT_TEMPLATE: dict[str, Any] = {
    "type": "TemplateProcessing",
    "single": [],
    "pair": [
        {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
        {"Sequence": {"id": "B", "type_id": 1}},
        {"SpecialToken": {"id": "[SEP]", "type_id": 1}},
    ],
    "special_tokens": {
        "[CLS]": {"id": "[CLS]", "ids": [101], "tokens": ["[CLS]"]},
        "[SEP]": {"id": "[SEP]", "ids": [102], "tokens": ["[SEP]"]},
    },
}
BYTE_LEVEL: dict[str, Any] = {"type": "ByteLevel", "trim_offsets": True}
BERT_PROCESSING: dict[str, Any] = {
    "type": "BertProcessing",
    "cls": ["[CLS]", 101],
    "sep": ["[SEP]", 102],
}
ROBERTA_PROCESSING: dict[str, Any] = {
    "type": "RobertaProcessing",
    "cls": ["<s>", 0],
    "sep": ["</s>", 2],
    "trim_offsets": True,
}
BERT_PAIR = ([101, 7, 8, 102, 9, 102], [0, 0, 0, 0, 1, 1])
ROBERTA_PAIR = ([0, 7, 8, 2, 2, 9, 2], [0] * 7)


def ids(*values: int) -> IntArray:
    return np.asarray(values, np.int32)


def encode(template: PairTemplate, max_length: int = 512) -> tuple[list[int], list[int]]:
    pair = template.encode(ids(7, 8), ids(9), max_length)
    assert pair.input_ids.dtype == pair.token_type_ids.dtype == np.int64
    return pair.input_ids.tolist(), pair.token_type_ids.tolist()


@pytest.mark.parametrize(
    ("post_processor", "wanted", "special_count"),
    [
        pytest.param(BERT_TEMPLATE, BERT_PAIR, 3, id="TemplateProcessing"),
        pytest.param(BERT_PROCESSING, BERT_PAIR, 3, id="BertProcessing"),
        pytest.param(ROBERTA_PROCESSING, ROBERTA_PAIR, 4, id="RobertaProcessing"),
        pytest.param(
            {"type": "Sequence", "processors": [BYTE_LEVEL, BERT_TEMPLATE]},
            BERT_PAIR,
            3,
            id="Sequence with ByteLevel",
        ),
        pytest.param(
            {
                "type": "Sequence",
                "processors": [{"type": "Sequence", "processors": [ROBERTA_PROCESSING]}],
            },
            ROBERTA_PAIR,
            4,
            id="Sequence in Sequence",
        ),
        pytest.param(None, ([7, 8, 9], [0, 0, 1]), 0, id="none"),
        pytest.param(BYTE_LEVEL, ([7, 8, 9], [0, 0, 1]), 0, id="ByteLevel alone"),
    ],
)
def test_templates_of_known_post_processors(
    post_processor: dict[str, Any] | None, wanted: tuple[list[int], list[int]], special_count: int
) -> None:
    template = pair_template(post_processor)
    assert encode(template) == wanted
    assert template.special_count == special_count


def test_special_tokens_may_be_several_ids_and_the_document_may_stand_first() -> None:
    template = pair_template(
        {
            "type": "TemplateProcessing",
            "pair": [
                {"Sequence": {"id": "B", "type_id": 1}},
                {"SpecialToken": {"id": "two", "type_id": 5}},
                {"Sequence": {"id": "A", "type_id": 0}},
            ],
            "special_tokens": {"two": {"ids": [50, 51]}},
        }
    )
    assert template.special_count == 2
    assert encode(template) == ([9, 50, 51, 7, 8], [1, 5, 5, 0, 0])


@pytest.mark.parametrize("nested", [False, True])
def test_an_unknown_post_processor_is_refused_by_name(nested: bool) -> None:
    unknown: dict[str, Any] = {"type": "Surprise"}
    if nested:
        unknown = {"type": "Sequence", "processors": [BYTE_LEVEL, unknown]}
    with pytest.raises(UnsupportedModelError, match="'Surprise'"):
        pair_template(unknown)


def test_a_pair_that_fits_is_whole() -> None:
    pair = BERT.encode(ids(7, 8), ids(9), 6)
    assert pair.input_ids.tolist() == BERT_PAIR[0]
    assert not pair.query_truncated
    assert not pair.document_truncated


def test_one_token_too_many_cuts_the_longer_text_at_its_end() -> None:
    pair = BERT.encode(ids(7, 8), ids(9), 5)
    assert pair.input_ids.tolist() == [101, 7, 102, 9, 102]
    assert (pair.query_truncated, pair.document_truncated) == (True, False)

    pair = BERT.encode(ids(7), ids(8, 9), 5)
    assert pair.input_ids.tolist() == [101, 7, 102, 8, 102]
    assert pair.token_type_ids.tolist() == [0, 0, 0, 1, 1]
    assert (pair.query_truncated, pair.document_truncated) == (False, True)


def test_however_long_the_query_half_the_room_is_the_documents() -> None:
    query, document = np.arange(1000, 101_000), np.arange(200_000, 200_600)
    pair = BERT.encode(query, document, 512)
    assert len(pair.input_ids) == 512
    assert (pair.input_ids >= 200_000).sum() == 509 // 2
    assert (pair.query_truncated, pair.document_truncated) == (True, True)


def _cut_one_by_one(first: int, second: int, budget: int) -> tuple[int, int]:
    """Another way to the same end: take tokens from the longer text until they fit."""
    while first + second > budget:
        if first > second:
            first -= 1
        else:
            second -= 1
    return first, second


def test_truncation_of_all_small_lengths() -> None:
    for first in range(13):
        for second in range(13):
            for budget in range(2, 27):
                kept = truncate_longest_first(first, second, budget)
                case = (first, second, budget, kept)
                assert sum(kept) == min(first + second, budget), case
                assert 0 <= kept[0] <= first, case
                assert 0 <= kept[1] <= second, case
                assert kept[0] >= min(first, budget // 2), case
                assert kept[1] >= min(second, budget // 2), case
                one_by_one = _cut_one_by_one(first, second, budget)
                assert max(abs(a - b) for a, b in zip(kept, one_by_one, strict=True)) <= 1, case


def test_the_odd_token_goes_to_the_longer_text_and_of_equals_to_the_document() -> None:
    assert truncate_longest_first(10, 20, 7) == (3, 4)
    assert truncate_longest_first(20, 10, 7) == (4, 3)
    assert truncate_longest_first(10, 10, 7) == (3, 4)


def encoded(*values: int) -> EncodedPair:
    types = np.ones(len(values), np.int64)
    return EncodedPair(np.asarray(values, np.int64), types, False, False)


def test_a_batch_is_padded_on_the_right_to_its_longest() -> None:
    batch = pad_batch([encoded(5), encoded(6, 7, 8)], pad_id=9)
    assert batch.input_ids.tolist() == [[5, 9, 9], [6, 7, 8]]
    assert batch.attention_mask.tolist() == [[1, 0, 0], [1, 1, 1]]
    assert batch.token_type_ids.tolist() == [[1, 0, 0], [1, 1, 1]]
    for array in (batch.input_ids, batch.attention_mask, batch.token_type_ids):
        assert array.dtype == np.int64
        assert array.flags.c_contiguous


def test_one_pair_alone_has_no_padding() -> None:
    batch = pad_batch([encoded(5, 6)], pad_id=9)
    assert batch.input_ids.tolist() == [[5, 6]]
    assert batch.attention_mask.all()
