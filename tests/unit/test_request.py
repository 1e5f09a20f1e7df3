"""Requests: what is refused, what is read, and what a message may say."""

import contextlib
import copy
import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from webrerank.errors import InvalidRequestError
from webrerank.request import check_request, well_formed

ALL: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "cases" / "requests.json").read_text(encoding="utf-8")
)
PYTHON = [case for case in ALL if case["py"] is not None]
GOOD = [case for case in PYTHON if case["error"] is None]
BAD = [case for case in PYTHON if case["error"] is not None]


def name_of(case: dict[str, Any]) -> str:
    return str(case["name"])


def snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)


@pytest.mark.parametrize("case", GOOD, ids=name_of)
def test_good_requests_are_read(case: dict[str, Any]) -> None:
    request = check_request(**case["py"])
    assert request.query == case["py"]["query"]
    assert request.texts == case["texts"]
    assert list(request.documents) == case["py"]["documents"]
    assert request.top_k == case["py"].get("top_k")
    assert request.min_score == case["py"].get("min_score")
    assert request.max_length == case["py"].get("max_length")


@pytest.mark.parametrize("case", BAD, ids=name_of)
def test_bad_requests_are_refused_by_field_and_without_user_text(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        check_request(**case["py"])
    message = str(caught.value)
    assert message.startswith(snake(case["field"]))
    assert case["error"] in message
    assert "SECRET" not in message
    assert "31337" not in message
    assert caught.value.code == "invalid_request"
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("case", PYTHON, ids=name_of)
def test_inputs_are_never_changed(case: dict[str, Any]) -> None:
    given = case["py"]
    before = copy.deepcopy(given)
    with contextlib.suppress(InvalidRequestError):
        check_request(**given)
    assert given == before


def test_documents_are_the_callers_own_objects_in_a_list_of_our_own() -> None:
    document = {"text": "a"}
    documents: list[Any] = [document]
    request = check_request("q", documents)
    assert request.documents[0] is document
    documents.append("later")
    assert len(request.documents) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_min_score_must_be_finite(value: float) -> None:
    with pytest.raises(InvalidRequestError, match="min_score"):
        check_request("q", [], min_score=value)


def test_whole_numbers_of_numpy_are_whole_numbers() -> None:
    request = check_request("q", ["a"], top_k=np.int64(3), max_length=np.int32(9))
    assert (request.top_k, request.max_length) == (3, 9)


def test_any_sequence_and_any_mapping_will_do() -> None:
    frozen: Mapping[str, str] = MappingProxyType({"text": "b"})
    assert check_request("q", ("a", frozen)).texts == ["a", "b"]
    assert check_request("q", [{"title": "a"}], fields=("title",)).texts == ["a"]


@pytest.mark.parametrize(
    "documents", [b"SECRET", iter(["SECRET"]), {"SECRET"}, 7], ids=["bytes", "iterator", "set", "7"]
)
def test_other_collections_are_refused(documents: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"^documents must be a list") as caught:
        check_request("q", documents)
    assert "SECRET" not in str(caught.value)


def test_bytes_are_no_text() -> None:
    with pytest.raises(InvalidRequestError, match=r"^documents\[0\] must be a string.*bytes"):
        check_request("q", [b"a"])
    with pytest.raises(InvalidRequestError, match=r"^query must be a string, not bytes"):
        check_request(b"q", ["a"])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain", "plain"),
        ("", ""),
        ("a\ud800", "a\ufffd"),
        ("\udc00a", "\ufffda"),
        ("\ud83d\ude00", "\U0001f600"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        ("\U0001f600", "\U0001f600"),
    ],
    ids=["plain", "empty", "high", "low", "pair", "swapped", "high and pair", "whole"],
)
def test_lone_surrogates_become_u_fffd(text: str, wanted: str) -> None:
    assert well_formed(text) == wanted
    request = check_request(text + "q", [text, {"text": text}])
    assert request.query == wanted + "q"
    assert request.texts == [wanted, wanted]
    assert request.documents == [text, {"text": text}]


def test_a_surrogate_pair_split_over_two_fields_stays_apart() -> None:
    documents = [{"a": "x\ud83d", "b": "\ude00y"}]
    assert check_request("q", documents, fields=["a", "b"]).texts == ["x\ufffd \ufffdy"]
