"""The error tree: codes are stable and lead back to their class."""

import asyncio

import pytest

from webrerank import errors
from webrerank.errors import RerankError, error_for_code

WANTED: dict[str, tuple[type[RerankError], bool]] = {
    "invalid_request": (errors.InvalidRequestError, False),
    "model_load": (errors.ModelLoadError, True),
    "model_integrity": (errors.ModelIntegrityError, True),
    "unsupported_model": (errors.UnsupportedModelError, False),
    "runtime_load": (errors.RuntimeLoadError, True),
    "tokenization": (errors.TokenizationError, False),
    "inference": (errors.InferenceError, False),
    "out_of_memory": (errors.OutOfMemoryError, True),
    "worker_crashed": (errors.WorkerCrashedError, True),
    "disposed": (errors.DisposedError, False),
    "internal": (RerankError, False),
}


@pytest.mark.parametrize("code", WANTED)
def test_a_code_on_the_wire_is_its_error_again(code: str) -> None:
    kind, retryable = WANTED[code]
    error = error_for_code(code, "what to do")
    assert type(error) is kind
    assert error.code == code
    assert error.retryable is retryable
    assert str(error) == "what to do"


def test_an_unknown_code_is_internal() -> None:
    assert type(error_for_code("from_the_future", "?")) is RerankError


def test_a_cancel_is_no_rerank_error() -> None:
    assert not issubclass(asyncio.CancelledError, RerankError)
    assert not issubclass(RerankError, asyncio.CancelledError)


def test_an_options_name_is_told_as_it_is_in_either_language() -> None:
    error = errors.InvalidRequestError("{option} must be at least 5.", option="max_length")
    assert str(error) == "max_length must be at least 5."
    assert error.message_with({"max_length": "maxLength"}) == "maxLength must be at least 5."
    assert error.message_with({"top_k": "topK"}) == "max_length must be at least 5."


def test_only_the_option_is_named_anew_not_what_looks_like_it() -> None:
    path = "/models/max_length/{option}/config.json is missing."
    for error in (errors.ModelLoadError(path), error_for_code("model_load", path)):
        assert str(error) == path
        assert error.message_with({"max_length": "maxLength"}) == path
    mixed = errors.InvalidRequestError("{option}, not max_length_2.", option="max_length")
    assert mixed.message_with({"max_length": "maxLength"}) == "maxLength, not max_length_2."
