"""Any request at all: a right answer, or a refusal that names what is wrong, and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.properties import strategies as some
from webrerank.errors import InvalidRequestError
from webrerank.request import RerankRequest, check_request, well_formed

OPTIONS = ("fields", "top_k", "min_score", "max_length", "long_documents")

#: What a message may start with: the field that is wrong.
FIELDS = ("query", "documents", *OPTIONS)


def check_answer(request: RerankRequest) -> None:
    """All that the rest of the core relies on."""
    assert type(request.query) is str and request.query.strip()
    assert len(request.texts) == len(request.documents)
    for text in (request.query, *request.texts):
        assert type(text) is str
        text.encode("utf-8")
    for number in (request.top_k, request.max_length):
        assert number is None or (type(number) is int and number >= 1)
    assert request.min_score is None or (
        type(request.min_score) is float and 0 <= request.min_score <= 1
    )


def check_refusal(error: InvalidRequestError) -> None:
    message = str(error)
    assert message.startswith(FIELDS), message
    assert "SECRET" not in message
    assert error.code == "invalid_request"


@settings(max_examples=1500)
@given(
    query=st.just("q") | some.anything,
    documents=st.lists(some.documents | some.anything, max_size=4) | some.anything,
    options=st.dictionaries(st.sampled_from(OPTIONS), some.anything, max_size=2),
)
@example(query="q", documents=["a"], options={"top_k": some.Refuses()})
@example(query="q", documents=["a"], options={"fields": some.RefusingList()})
@example(query="q", documents=["a"], options={"min_score": some.Refuses()})
@example(query="q", documents=["a"], options={"long_documents": some.Refuses()})
@example(query="q", documents=some.RefusingList(), options={})
@example(query=some.RefusingText("SECRET"), documents=["a"], options={})
def test_any_request_is_answered_or_refused(
    query: Any, documents: Any, options: dict[str, Any]
) -> None:
    try:
        request = check_request(query, documents, **options)
    except InvalidRequestError as error:
        check_refusal(error)
    else:
        check_answer(request)


@given(
    documents=st.lists(some.documents, max_size=5),
    bad=st.sampled_from([5, None, [], b"SECRET", {}, {"text": 5}])
    | st.builds(some.RefusingMapping)
    | st.builds(some.Refuses),
    data=st.data(),
)
def test_the_place_of_a_bad_document_is_named(
    documents: list[Any], bad: Any, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(documents)))
    with pytest.raises(InvalidRequestError, match=rf"^documents\[{place}\]"):
        check_request("q", [*documents[:place], bad, *documents[place:]])


@given(query=some.texts.filter(str.strip), documents=st.lists(some.documents, max_size=5))
def test_good_requests_are_read_as_they_are(query: str, documents: list[Any]) -> None:
    before = copy.deepcopy(documents)
    request = check_request(query, documents)
    texts = [one if isinstance(one, str) else one["text"] for one in documents]
    assert list(request.texts) == [well_formed(text) for text in texts]
    assert all(kept is own for kept, own in zip(request.documents, documents, strict=True))
    assert documents == before


def test_a_document_is_read_once() -> None:
    document = some.ChangingMapping()
    assert check_request("q", [document]).texts == ["first"]
    assert document.looks == 1


@given(some.texts)
def test_text_is_made_well_formed_unit_by_unit(text: str) -> None:
    """As JavaScript's toWellFormed does: each UTF-16 unit stays, or a lone one is U+FFFD."""
    before, after = utf16(text), utf16(well_formed(text))
    assert len(before) == len(after)
    for place, (old, new) in enumerate(zip(before, after, strict=True)):
        if is_lone(before, place):
            assert new == 0xFFFD
        else:
            assert new == old


def utf16(text: str) -> list[int]:
    units: list[int] = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), "<u2").tolist()
    return units


def is_lone(units: list[int], place: int) -> bool:
    """Whether a unit is a surrogate without its other half, by the words of the Unicode standard:
    a pair is a high one with a low one right after it."""
    if 0xD800 <= units[place] < 0xDC00:
        return not (place + 1 < len(units) and 0xDC00 <= units[place + 1] < 0xE000)
    if 0xDC00 <= units[place] < 0xE000:
        return not (place and 0xD800 <= units[place - 1] < 0xDC00)
    return False
