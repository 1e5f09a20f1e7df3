"""tokenization.py: in turns, in order, and of long texts no more than is read."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from tests.fakes import FakeTokenizer
from webrerank.tokenization import CHARS_A_TOKEN, CUT_TOKENS, TOKENIZE_CHUNK, tokenize

MAX_LENGTH = 20
ENOUGH = MAX_LENGTH + CUT_TOKENS
HEAD = ENOUGH * CHARS_A_TOKEN


def tokenized(
    texts: Sequence[str], max_length: int = MAX_LENGTH
) -> tuple[list[list[int]], FakeTokenizer]:
    tokenizer = FakeTokenizer()
    ids = asyncio.run(tokenize(tokenizer, texts, max_length, 1))
    return [one.tolist() for one in ids if isinstance(one, np.ndarray)], tokenizer


def whole(text: str) -> list[int]:
    (ids,) = FakeTokenizer().encode_batch([text])
    return list(ids.tolist())


def test_many_texts_in_chunks_in_order() -> None:
    third = "x" * (TOKENIZE_CHUNK // 3)
    texts = [f"{third} {place}" for place in range(10)]
    ids, tokenizer = tokenized(texts, TOKENIZE_CHUNK)
    assert tokenizer.texts == texts
    assert [len(batch) for batch in tokenizer.batches] == [3, 3, 3, 1]
    assert ids == [whole(text) for text in texts]


def test_a_chunk_is_full_with_its_last_character_and_not_before() -> None:
    almost = "x" * (TOKENIZE_CHUNK - 1)
    _, tokenizer = tokenized([almost, "a", almost, "a", "b"], TOKENIZE_CHUNK)
    assert [len(batch) for batch in tokenizer.batches] == [2, 2, 1]


def test_a_long_text_is_cut_behind_a_word_and_only_if_it_is_twice_too_long() -> None:
    long, longer = "red foxes " * HEAD, "red foxes " * HEAD
    long, longer = long[: 2 * HEAD], longer[: 2 * HEAD + 1]
    _, tokenizer = tokenized([long, longer])
    assert tokenizer.texts[0] == long
    cut = tokenizer.texts[1]
    assert longer.startswith(cut) and HEAD - len("foxes ") < len(cut) <= HEAD
    assert cut.endswith(("red ", "foxes "))


def test_a_long_text_is_read_as_far_as_it_counts() -> None:
    texts = ["short", "red fox " * 100_000, "short too"]
    ids, tokenizer = tokenized(texts)
    assert sum(map(len, tokenizer.texts)) < 2 * HEAD
    assert ids[0] == whole(texts[0]) and ids[2] == whole(texts[2])
    assert len(ids[1]) >= ENOUGH
    assert ids[1][:MAX_LENGTH] == whole(texts[1])[:MAX_LENGTH]


@pytest.mark.parametrize(
    "text",
    [
        "red fox" + " " * 10 * HEAD + "blue",
        "\u200b" * 10 * HEAD + "blue",
        "x" * 10 * HEAD + " blue",
        "red " * (ENOUGH - 2) + "x" * 10 * HEAD + " blue",
        " " * 10 * HEAD,
        "red " * (HEAD // 2),
    ],
    ids=["spaces", "invisible", "one word", "a token too few", "blank", "just not long"],
)
def test_a_text_whose_start_says_too_little_is_read_whole(text: str) -> None:
    assert tokenized(["a", text, "b"])[0] == [whole("a"), whole(text), whole("b")]


def test_a_cancel_is_heard_between_chunks() -> None:
    async def scenario() -> None:
        tokenizer = FakeTokenizer()
        texts = ["x" * TOKENIZE_CHUNK] * 20
        task = asyncio.ensure_future(tokenize(tokenizer, texts, TOKENIZE_CHUNK, 1))
        while len(tokenizer.batches) < 3:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(tokenizer.batches) <= 4

    asyncio.run(scenario())
