"""What a caller may ask, checked before anything runs.

web/lib/request.js checks the same rules for JavaScript; tests/cases/requests.json holds both to
them. Inputs are read once, never changed; what they raise when read is the caller's mistake too.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Real
from typing import Any

from webrerank.errors import InvalidRequestError

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class RerankRequest:
    """A checked request.

    Attributes:
        query: the query, free of lone surrogates.
        documents: the caller's own objects.
        texts: the text of each document, free of lone surrogates.
        top_k: how many results at most; None for all.
        min_score: the lowest score to keep, in [0, 1]; None for all.
        max_length: the most tokens a pair may have; None for the model's own, at most 512.
    """

    query: str
    documents: Sequence[Any]
    texts: Sequence[str]
    top_k: int | None = None
    min_score: float | None = None
    max_length: int | None = None


def check_request(
    query: Any,
    documents: Any,
    *,
    fields: Any = None,
    top_k: Any = None,
    min_score: Any = None,
    max_length: Any = None,
    long_documents: Any = "truncate",
) -> RerankRequest:
    """Check a request and read the documents' texts.

    Raises:
        InvalidRequestError: names the field and, for a document, its index.
    """
    with _reading("query"):
        checked_query = _check_query(query)
    with _reading("long_documents"):
        text = isinstance(long_documents, str)
        if long_documents is not None and not (text and long_documents == "truncate"):
            raise InvalidRequestError(
                "{option} must be 'truncate', the only way in this version, or left out.",
                option="long_documents",
            )
    with _reading("fields"):
        names = _check_fields(fields)
    with _reading("documents"):
        kept = _check_documents(documents)
    return RerankRequest(
        query=checked_query,
        documents=kept,
        texts=_texts_of(kept, names),
        top_k=_whole_number("top_k", top_k),
        min_score=_check_min_score(min_score),
        max_length=_whole_number("max_length", max_length),
    )


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """A value of the caller's that raises when it is looked at is the caller's mistake."""
    try:
        yield
    except InvalidRequestError:
        raise
    except Exception as error:
        raise _unreadable(what, error) from error


def _unreadable(what: str, error: Exception) -> InvalidRequestError:
    kind = type(error).__name__
    return InvalidRequestError(f"{what} must be readable: reading it raised {kind}.")


def well_formed(text: str) -> str:
    """Replace lone surrogates by U+FFFD, as JavaScript's `toWellFormed` does.

    Tokenizers work on UTF-8, which has no surrogates; a pair of them becomes its character.
    """
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _check_query(query: Any) -> str:
    if not isinstance(query, str):
        raise InvalidRequestError(f"query must be a string, not {_kind(query)}.")
    text = _plain(query)
    if not text.strip():
        raise InvalidRequestError("query must not be blank.")
    return well_formed(text)


def _plain(text: str) -> str:
    """The string itself, where a subclass (numpy has one) may have methods of its own."""
    return str.__str__(text)


def _check_documents(documents: Any) -> list[Any]:
    if isinstance(documents, (str, bytes, Mapping)) or not isinstance(documents, Sequence):
        raise InvalidRequestError(
            f"documents must be a list of strings or objects, not {_kind(documents)}."
        )
    return list(documents)


def _texts_of(documents: Sequence[Any], fields: list[str] | None) -> list[str]:
    texts: list[str] = []
    try:
        for document in documents:
            texts.append(_text_of(document, len(texts), fields))
    except InvalidRequestError:
        raise
    except Exception as error:
        raise _unreadable(f"documents[{len(texts)}]", error) from error
    return texts


def _check_fields(fields: Any) -> list[str] | None:
    if fields is None:
        return None
    valid = isinstance(fields, Sequence) and not isinstance(fields, (str, bytes))
    names = list(fields) if valid else []
    if not names or not all(isinstance(name, str) and name for name in names):
        raise InvalidRequestError("fields must be a list of at least one property name.")
    return names


def _text_of(document: Any, index: int, fields: list[str] | None) -> str:
    if isinstance(document, str):
        return well_formed(_plain(document))
    if not isinstance(document, Mapping):
        raise InvalidRequestError(
            f"documents[{index}] must be a string or an object with text, not {_kind(document)}."
        )
    parts = []
    for name in fields or ["text"]:
        value = document.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise InvalidRequestError(
                f"documents[{index}].{name} must be a string, not {_kind(value)}."
            )
        parts.append(_plain(value))
    if not parts:
        wanted = " or ".join(repr(name) for name in fields or ["text"])
        raise InvalidRequestError(f"documents[{index}] has no text: it must have a field {wanted}.")
    return well_formed(" ".join(parts))


def _whole_number(name: str, value: Any) -> int | None:
    if value is None:
        return None
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except Exception:  # a TypeError for what is no whole number; anything from a type of its own
        number = None
    if number is None or number < 1:
        raise InvalidRequestError("{option} must be a whole number of at least 1.", option=name)
    return number


def _check_min_score(value: Any) -> float | None:
    if value is None:
        return None
    with _reading("min_score"):
        number = isinstance(value, Real) and not isinstance(value, bool)  # numpy's are Real too
        if not number or not 0 <= value <= 1:  # NaN fails this comparison too
            raise InvalidRequestError("{option} must be a number from 0 to 1.", option="min_score")
        return float(value)


def _kind(value: Any) -> str:
    """Name a value's type, never the value: it may be the caller's text."""
    return "None" if value is None else type(value).__name__
