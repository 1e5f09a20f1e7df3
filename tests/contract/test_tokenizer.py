"""What every adapter of the Tokenizer port keeps to.

The fake has no vocabulary, so it is held to structure alone. The real ones are held to the pinned
ids of the bundled model's vocabulary as well, which Hugging Face tokenizers 0.23.3 gave.
"""

import numpy as np
import pytest

from webrerank.ports import Tokenizer

TEXTS = {
    "english": "How many people live in Berlin?",
    "accents": "Ångström café naïve",
    "combining accents": "cafe\u0301 A\u030angstro\u0308m",
    "japanese": "東京は日本の首都です",
    "korean": "안녕하세요",
    "arabic": "مرحبا بالعالم",
    "emoji": "\U0001f469\u200d\U0001f4bb \U0001f600",
    "zero-width": "zero\u200bwidth\ufeff",
    "special tokens": "a [SEP] b [CLS] c",
    "control characters": "\x00\x01 a\tb",
    "a word without end": "x" * 10_000,
}
NOTHING = {
    "empty": "",
    "blank": " \n\t ",
    "unbreakable spaces": "\u00a0\u3000",
    "zero-width alone": "\u200b\u200d\ufeff",
}


def same(left: object, right: object) -> bool:
    return np.array_equal(np.asarray(left), np.asarray(right))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_ids_are_flat_int32_and_there_are_some(tokenizer: Tokenizer, text: str) -> None:
    (ids,) = tokenizer.encode_batch([text])
    assert ids.dtype == np.int32
    assert ids.ndim == 1
    assert len(ids)
    assert (ids > 0).all()


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_what_cannot_be_seen_has_no_ids(tokenizer: Tokenizer, text: str) -> None:
    (ids,) = tokenizer.encode_batch([text])
    assert ids.dtype == np.int32
    assert ids.shape == (0,)


def test_no_texts_have_no_ids(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode_batch([]) == []


def test_texts_stay_in_order_whatever_their_neighbours(tokenizer: Tokenizer) -> None:
    texts = ["", *TEXTS.values(), "", "", *NOTHING.values(), *reversed(TEXTS.values()), ""]
    together = tokenizer.encode_batch(texts)
    assert len(together) == len(texts)
    for text, ids in zip(texts, together, strict=True):
        (alone,) = tokenizer.encode_batch([text])
        assert same(ids, alone)


def test_nothing_is_padded(tokenizer: Tokenizer) -> None:
    short, long = tokenizer.encode_batch(["red", "red " * 40])
    assert (len(short), len(long)) == (1, 40)


def test_no_special_tokens_are_added(tokenizer: Tokenizer) -> None:
    red, both, blue = tokenizer.encode_batch(["red", "red blue", "blue"])
    assert same(both, [*red, *blue])


def test_the_same_text_has_the_same_ids_again(tokenizer: Tokenizer) -> None:
    texts = list(TEXTS.values())
    first, second = tokenizer.encode_batch(texts), tokenizer.encode_batch(tuple(texts))
    assert all(same(left, right) for left, right in zip(first, second, strict=True))


def test_a_megabyte_of_text_is_encoded_whole(tokenizer: Tokenizer) -> None:
    words = ["red", "green", "café", "北京"]
    units = tokenizer.encode_batch(words)
    (ids,) = tokenizer.encode_batch([" ".join(words) * 1 + (" " + " ".join(words)) * 50_000])
    assert same(ids, np.tile(np.concatenate(units), 50_001))


def test_the_texts_given_are_not_changed(tokenizer: Tokenizer) -> None:
    texts = list(TEXTS.values())
    tokenizer.encode_batch(texts)
    assert texts == list(TEXTS.values())


def test_ids_are_the_callers_to_keep(tokenizer: Tokenizer) -> None:
    (kept,) = tokenizer.encode_batch(["red green blue"])
    before = kept.copy()
    tokenizer.encode_batch(["other words " * 1000])
    assert same(kept, before)


PINNED = {
    "How many people live in Berlin?": [2129, 2116, 2111, 2444, 1999, 4068, 1029],
    "Ångström café naïve": [17076, 15687, 7668, 15743],
    "cafe\u0301 Å": [7668, 1037],
    "東京は日本の首都です": [1879, 1755, 1672, 1864, 1876, 1671, 100, 1961, 1665, 30184],
    "안녕": [1463, 30006, 30021, 29992, 30010, 30025],
    "\U0001f469\u200d\U0001f4bb emoji \U0001f600": [100, 7861, 29147, 2072, 100],
    "zero\u200bwidth\ufeff": [5717, 9148, 11927, 2232],
    "a [SEP] b [CLS] [MASK]": [1037, 102, 1038, 101, 103],
    "don't stop-me_now": [2123, 1005, 1056, 2644, 1011, 2033, 1035, 2085],
    "\x00\x01 a\tb": [1037, 1038],
    "\ufffd": [],
    "x" * 101: [100],
}


@pytest.mark.parametrize("text", PINNED, ids=ascii)
def test_real_adapters_give_the_pinned_ids(real_tokenizer: Tokenizer, text: str) -> None:
    (ids,) = real_tokenizer.encode_batch([text])
    assert ids.tolist() == PINNED[text]
