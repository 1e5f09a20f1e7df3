"""Many texts, some of them long, to token ids: in turns, and no further than the model reads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from webrerank.pairs import IntArray
from webrerank.ports import Tokenizer

#: Characters tokenised before the event loop gets a turn, so that a cancel is heard.
TOKENIZE_CHUNK = 50_000

#: Characters of a text that are tried for each token wanted; words have fewer in most languages.
CHARS_A_TOKEN = 8


async def tokenize(tokenizer: Tokenizer, texts: Sequence[str], enough: int) -> list[IntArray]:
    """Give the ids of each text, shape (n,); of a long text all, or at least `enough` of the first.

    A tokenizer makes the same of the start of a text whatever follows a good way behind. So a cut
    text that gave `enough` says how the whole begins, if no more than half of them are looked at;
    one that did not (spaces without end, a word of a million letters) is tokenised whole.
    """
    head = enough * CHARS_A_TOKEN
    is_long = [len(text) > 2 * head for text in texts]
    starts = [text[:head] if cut else text for text, cut in zip(texts, is_long, strict=True)]
    ids = await _in_turns(tokenizer, starts)
    for place, text in enumerate(texts):
        if is_long[place] and len(ids[place]) < enough:
            (ids[place],) = await _in_turns(tokenizer, [text])
    return ids


async def _in_turns(tokenizer: Tokenizer, texts: Sequence[str]) -> list[IntArray]:
    ids: list[IntArray] = []
    chunk: list[str] = []
    size = 0
    for place, text in enumerate(texts):
        chunk.append(text if text.strip() else "")
        size += len(text)
        if size >= TOKENIZE_CHUNK or place == len(texts) - 1:
            ids += tokenizer.encode_batch(chunk)
            chunk, size = [], 0
            await asyncio.sleep(0)
    return ids
