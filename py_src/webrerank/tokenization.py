"""Many texts, some of them long, to token ids: in turns, and not much further than is read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from webrerank.errors import TokenizationError
from webrerank.pairs import IntArray
from webrerank.ports import Tokenizer

#: Characters tokenised before the event loop gets a turn, so that a cancel is heard.
TOKENIZE_CHUNK = 50_000

#: Characters of a text that are tried for each token wanted; words have fewer in most languages.
CHARS_A_TOKEN = 8

#: What the cut itself may add: of a word too long for WordPiece, which is one token, the start may
#: be short enough to be read letter by letter, up to 100 of them.
CUT_TOKENS = 128


async def tokenize(
    tokenizer: Tokenizer, texts: Sequence[str], max_length: int, query_length: int
) -> list[IntArray | TokenizationError]:
    """Give the token ids of each text, shape (n,), or the error of one that the tokenizer refuses.

    Of a long text only the start is tokenised: the first tokens do not depend on text that stands
    far behind them. If the start gives clearly more tokens than a pair can hold, the rest would be
    truncated anyway. If it gives fewer (endless spaces, a word of a million letters), the whole
    text is tokenised after all.

    Args:
        tokenizer: the model's.
        texts: what to tokenise.
        max_length: the most tokens of each that can be read.
        query_length: tokens of the query, which is truncated too if it is longer than a text.
    """
    enough = max(2 * max_length, max_length + CUT_TOKENS, query_length)
    head = enough * CHARS_A_TOKEN
    is_long = [len(text) > 2 * head for text in texts]
    starts = [_cut(text, head) if cut else text for text, cut in zip(texts, is_long, strict=True)]
    ids = await _in_turns(tokenizer, starts)
    for place, text in enumerate(texts):
        begun = ids[place]
        if is_long[place] and not isinstance(begun, TokenizationError) and len(begun) < enough:
            (ids[place],) = await _in_turns(tokenizer, [text])
    return ids


def _cut(text: str, length: int) -> str:
    """Cut behind the last space before `length`, if there is one."""
    end = length
    while end and not text[end - 1].isspace():
        end -= 1
    return text[: end or length]


async def _in_turns(
    tokenizer: Tokenizer, texts: Sequence[str]
) -> list[IntArray | TokenizationError]:
    ids: list[IntArray | TokenizationError] = []
    chunk: list[str] = []
    size = 0
    for place, text in enumerate(texts):
        chunk.append(text if text.strip() else "")
        size += len(text)
        if size >= TOKENIZE_CHUNK or place == len(texts) - 1:
            ids += _encode(tokenizer, chunk)
            chunk, size = [], 0
            await asyncio.sleep(0)
    return ids


def _encode(tokenizer: Tokenizer, texts: list[str]) -> list[IntArray | TokenizationError]:
    """Encode all; where that fails, one by one, so that only the culprit is without ids."""
    try:
        return [*tokenizer.encode_batch(texts)]
    except TokenizationError as error:
        if len(texts) == 1:
            return [error]
    return [ids for text in texts for ids in _encode(tokenizer, [text])]
