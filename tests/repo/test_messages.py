"""Errors are read by people in trouble: each says what happened, why as far as known, and what to
do; and docs/errors.md has them all."""

import re

import pytest

from tests.repo.messages import (
    HOLE,
    IMPERATIVES,
    RETRYABLE,
    Message,
    listed,
    messages,
    row_for,
    sentences_of,
)

MESSAGES = messages()


def place_of(message: Message) -> str:
    return message.place


def test_what_is_looked_at_is_there() -> None:
    """Both languages, errors made by helpers, texts in constants, and choices between texts."""
    assert len(MESSAGES) > 100
    texts = {(message.code, message.text) for message in MESSAGES}
    assert {
        ("invalid_request", "query must not be blank."),
        ("invalid_request", f"query must be a string, not {HOLE}."),
        ("invalid_request", "fields must be an array of at least one property name."),
        ("disposed", "The reranker was disposed of. Create a new one."),
    } <= texts
    assert {message.code for message in MESSAGES} == set(RETRYABLE)
    assert any(message.retryable != RETRYABLE[message.code or ""] for message in MESSAGES)


@pytest.mark.parametrize("message", MESSAGES, ids=place_of)
def test_a_message_says_what_happened_and_what_to_do(message: Message) -> None:
    text = message.text
    assert message.code in RETRYABLE, "write the code where the error is made, as a constant"
    assert text, "write the text where the error is made, or give it to a helper that makes it"
    assert text.endswith("."), text
    sentences = sentences_of(text)
    if message.code == "invalid_request" and len(sentences) == 1:
        assert re.search(r"\bmust\b", text), f"it does not name what the option must be: {text}"
        return
    assert len(sentences) >= 2, f"one sentence, so no cause or no cure: {text}"
    assert message.happened, f"it does not say what happened: {text}"
    assert message.cure, f"no sentence begins with what to do ({', '.join(IMPERATIVES)}): {text}"


@pytest.mark.parametrize("message", MESSAGES, ids=place_of)
def test_nobody_is_sent_to_try_again_in_vain(message: Message) -> None:
    again = re.search(r"\b(try|call)\b[^.]*\bagain\b|\btry later\b", message.text or "", re.I)
    assert message.retryable or not again, message.text


def test_the_page_lists_every_message_and_nothing_else() -> None:
    wanted = {(message.code, row_for(message)) for message in MESSAGES}
    rows = [(code, row) for code, rows in listed().items() for row in rows]
    missing, stale = wanted - set(rows), set(rows) - wanted
    told = "\n".join(
        [f"add to docs/errors.md, under `{code}`:\n{row}" for code, row in sorted(missing, key=str)]
        + [
            f"remove, since no source says it, under `{code}`:\n{row}"
            for code, row in sorted(stale, key=str)
        ]
    )
    assert not told, f"{told}\nor run PYTHONPATH=py_src .venv/bin/python -m tests.repo.messages"
    assert len(rows) == len(set(rows)), "a row is there twice"


def test_the_page_has_every_code() -> None:
    assert sorted(listed()) == sorted(RETRYABLE)
