"""tokenization.py reads the start of a long text only; real tokenizers make the same of it."""

from __future__ import annotations

import asyncio
import json
import random

import pytest

from tests.hub import tokenizer_kinds as kinds
from tests.nasty_texts import NASTY
from webrerank.adapters.native import NativeTokenizer
from webrerank.errors import TokenizationError
from webrerank.request import well_formed
from webrerank.tokenization import CHARS_A_TOKEN, CUT_TOKENS, tokenize

TOKENIZERS = {
    "WordPiece": kinds.word_piece,
    "Unigram, XLM-R": kinds.unigram_xlm_roberta,
    "Unigram, DeBERTa": kinds.unigram_deberta,
    "BPE, ModernBERT": kinds.byte_level_modernbert,
    "BPE, RoBERTa": kinds.byte_level_roberta,
}
MAX_LENGTH = 64
ENOUGH = MAX_LENGTH + CUT_TOKENS
FAR = 3 * ENOUGH * CHARS_A_TOKEN

SHORT = [*kinds.TEXT, *(text for text in NASTY.values() if text.strip() and len(text) < 1000)]


def mixed(seed: int) -> str:
    """Words, nasty texts, spaces and words without end, so that a cut falls anywhere."""
    chance = random.Random(seed)
    parts: list[str] = []
    while sum(map(len, parts)) < FAR:
        piece = chance.choice(SHORT)
        parts.append(piece * chance.choice([1, 1, 1, 1, 3, 50]))
        parts.append(
            chance.choice(
                [" ", " ", "", " " * 300, "x" * 300, "北" * 300, "a1b2" * chance.randint(20, 60)]
            )
        )
    return "".join(parts)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_the_first_tokens_are_those_of_the_whole_text(kind: str) -> None:
    values = {**TOKENIZERS[kind](), "truncation": None, "padding": None}
    tokenizer = NativeTokenizer(json.dumps(values))
    texts = [*(text * (1 + FAR // len(text)) for text in SHORT), *map(mixed, range(150))]
    texts = [well_formed(text) for text in texts]
    found = asyncio.run(tokenize(tokenizer, texts, MAX_LENGTH, 1))
    cut = 0
    for text, ids, whole in zip(texts, found, tokenizer.encode_batch(texts), strict=True):
        assert not isinstance(ids, TokenizationError)
        if len(ids) == len(whole):
            assert ids.tolist() == whole.tolist()
            continue
        cut += 1
        assert len(ids) >= ENOUGH
        assert ids[:MAX_LENGTH].tolist() == whole[:MAX_LENGTH].tolist(), text[:60]
    assert cut > 100, "the start was enough for most"
