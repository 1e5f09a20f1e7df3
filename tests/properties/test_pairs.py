"""Pair encoding, for every template and all lengths, against Hugging Face tokenizers itself."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from tests.fakes import BERT
from webrerank.pairs import EncodedPair, PairTemplate, Segment, pad_batch, pair_template

ROBERTA = PairTemplate(
    (
        Segment(None, (0,), 0),
        Segment(0, (), 0),
        Segment(None, (2, 2), 0),
        Segment(1, (), 0),
        Segment(None, (2,), 0),
    )
)
BARE = PairTemplate((Segment(0, (), 0), Segment(1, (), 1)))

templates = st.sampled_from([BERT, ROBERTA, BARE])
ids = st.lists(st.integers(10, 50), max_size=40)


def encode(
    template: PairTemplate, query: list[int], document: list[int], max_length: int
) -> EncodedPair:
    return template.encode(np.asarray(query, np.int32), np.asarray(document, np.int32), max_length)


@given(templates, ids, ids, st.integers(2, 60))
def test_a_pair_keeps_its_bounds_and_the_beginning_of_both_texts(
    template: PairTemplate, query: list[int], document: list[int], budget: int
) -> None:
    max_length = budget + template.special_count
    pair = encode(template, query, document, max_length)
    length = len(pair.input_ids)
    assert length == min(len(query) + len(document), budget) + template.special_count
    assert pair.input_ids.dtype == pair.token_type_ids.dtype == np.int64
    assert pair.input_ids.shape == pair.token_type_ids.shape

    first, second = kept_lengths(template, pair, query, document)
    whole = len(query) + len(document) <= budget
    assert pair.query_truncated == (first < len(query))
    assert pair.document_truncated == (second < len(document))
    assert whole == (not pair.query_truncated and not pair.document_truncated)
    # Neither text can push the other out: one that fits into half the room is whole.
    assert first == len(query) or first >= budget // 2
    assert second == len(document) or second >= budget // 2


def kept_lengths(
    template: PairTemplate, pair: EncodedPair, query: list[int], document: list[int]
) -> tuple[int, int]:
    """How many tokens of both there are; fails unless the pair is the template, filled in."""
    total = len(pair.input_ids) - template.special_count
    for first in range(min(total, len(query)) + 1):
        sources = (query[:first], document[: total - first])
        wanted_ids: list[int] = []
        wanted_types: list[int] = []
        for segment in template.segments:
            part = list(segment.ids) if segment.source is None else sources[segment.source]
            wanted_ids += part
            wanted_types += [segment.type_id] * len(part)
        truncated = (first < len(query), total - first < len(document))
        if (wanted_ids, wanted_types, truncated) == (
            pair.input_ids.tolist(),
            pair.token_type_ids.tolist(),
            (pair.query_truncated, pair.document_truncated),
        ):
            return first, len(sources[1])
    raise AssertionError("the pair is not the template with the beginnings of both texts")


def oracle() -> Tokenizer:
    """One id a word; what truncates and types the pair is Hugging Face's own code."""
    vocabulary = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2} | {str(n): n for n in range(10, 51)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    return made


ORACLE = oracle()
ORACLE_TEMPLATE = pair_template(json.loads(ORACLE.to_str())["post_processor"])


@given(ids, ids, st.integers(5, 60))
def test_a_pair_is_what_hugging_face_makes_of_it(
    query: list[int], document: list[int], max_length: int
) -> None:
    ORACLE.enable_truncation(max_length, strategy="longest_first")
    wanted = ORACLE.encode(" ".join(map(str, query)), " ".join(map(str, document)))
    pair = encode(ORACLE_TEMPLATE, query, document, max_length)
    assert pair.input_ids.tolist() == wanted.ids
    assert pair.token_type_ids.tolist() == wanted.type_ids


@given(templates, st.lists(st.tuples(ids, ids), min_size=1, max_size=6), st.integers(0, 5))
def test_padding_changes_no_pair(
    template: PairTemplate, texts: list[tuple[list[int], list[int]]], pad_id: int
) -> None:
    pairs = [encode(template, query, document, 30) for query, document in texts]
    batch = pad_batch(pairs, pad_id)
    longest = max(len(pair.input_ids) for pair in pairs)
    shape = (len(pairs), longest)
    assert (
        batch.input_ids.shape == batch.attention_mask.shape == batch.token_type_ids.shape == shape
    )
    for row, pair in enumerate(pairs):
        mask = batch.attention_mask[row].astype(bool)
        assert mask.tolist() == [place < len(pair.input_ids) for place in range(longest)]
        assert batch.input_ids[row][mask].tolist() == pair.input_ids.tolist()
        assert batch.token_type_ids[row][mask].tolist() == pair.token_type_ids.tolist()
        assert (batch.input_ids[row][~mask] == pad_id).all()


#: So few that pairs of different texts are often the same to the model.
short = st.tuples(*[st.lists(st.integers(10, 11), max_size=3)] * 2)


@given(templates, short, short)
def test_equal_keys_are_equal_pairs(
    template: PairTemplate, texts: tuple[list[int], list[int]], others: tuple[list[int], list[int]]
) -> None:
    one, other = encode(template, *texts, 9), encode(template, *others, 9)
    same = (
        one.input_ids.tolist() == other.input_ids.tolist()
        and one.token_type_ids.tolist() == other.token_type_ids.tolist()
    )
    assert (one.key == other.key) == same
    assert encode(template, *texts, 9).key == one.key
