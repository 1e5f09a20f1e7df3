"""Every way a rerank can fail, as one tree.

    RerankError
    ├─ InvalidRequestError       the caller's mistake (also a ValueError)
    ├─ ModelError
    │  ├─ ModelLoadError         network, a missing file, storage          retryable
    │  ├─ ModelIntegrityError    the bytes are not the model's             retryable
    │  └─ UnsupportedModelError  no model this package can run
    ├─ RuntimeLoadError          Python or ONNX Runtime did not start      retryable
    ├─ TokenizationError         a text cannot be encoded
    ├─ InferenceError            the model failed on a pair, or gave no finite number
    │  └─ OutOfMemoryError       the device has too little memory          retryable
    ├─ WorkerCrashedError        a worker died or fell silent              retryable
    └─ DisposedError             the reranker was disposed of

Cancelling raises asyncio.CancelledError, which is no RerankError, so that `except RerankError`
cannot swallow it. The codes are the same in web/lib/errors.js; a test compares them.
Messages never hold the caller's text: they reach logs.
"""

from __future__ import annotations

from typing import ClassVar


class RerankError(Exception):
    """Base of all errors; `code` is stable, `retryable` says if the same call may succeed later.

    Args:
        message: what happened and what to do next; free of the caller's text. `{option}` in it
            stands for the option's name.
        retryable: where it is not as usual for the code.
        option: the option of a call that it is about, by its name in Python.
    """

    code: ClassVar[str] = "internal"
    retryable: bool = False

    def __init__(
        self, message: str = "", *, retryable: bool | None = None, option: str | None = None
    ) -> None:
        super().__init__(message.replace("{option}", option) if option else message)
        self._template = message
        self._option = option
        if retryable is not None:
            self.retryable = retryable

    def message_with(self, names: dict[str, str]) -> str:
        """Give the message with the option's name as it is elsewhere, by its name in Python."""
        if self._option is None:
            return self._template
        return self._template.replace("{option}", names.get(self._option, self._option))


class InvalidRequestError(RerankError, ValueError):
    """The call is wrong: the message names the field and, in a list, the index."""

    code = "invalid_request"


class ModelError(RerankError):
    """Something is wrong with the model."""

    code = "model_load"


class ModelLoadError(ModelError):
    """The model's files could not be read."""

    retryable = True


class ModelIntegrityError(ModelError):
    """The model's bytes are not the ones expected."""

    code = "model_integrity"
    retryable = True


class UnsupportedModelError(ModelError):
    """This is no cross-encoder that can be run here; the message says what is missing."""

    code = "unsupported_model"


class RuntimeLoadError(RerankError):
    """Python or ONNX Runtime did not start."""

    code = "runtime_load"
    retryable = True


class TokenizationError(RerankError):
    """The tokenizer refused a text."""

    code = "tokenization"


class InferenceError(RerankError):
    """The model failed on a pair, or answered with something that is no finite number."""

    code = "inference"


class OutOfMemoryError(InferenceError):
    """The device has too little memory for this model and this many sessions."""

    code = "out_of_memory"
    retryable = True


class WorkerCrashedError(RerankError):
    """A worker ended or fell silent; the next call starts a new one."""

    code = "worker_crashed"
    retryable = True


class DisposedError(RerankError):
    """The reranker was disposed of before or during the call."""

    code = "disposed"


def _tree(base: type[RerankError]) -> list[type[RerankError]]:
    return [base, *(error for child in base.__subclasses__() for error in _tree(child))]


def error_for_code(code: str, message: str, *, retryable: bool | None = None) -> RerankError:
    """Make the error that a code on the wire stands for; an unknown code is "internal"."""
    # Bases come first in the tree, so a code that a base shares with its child gives the child.
    by_code = {error.code: error for error in _tree(RerankError)}
    return by_code.get(code, RerankError)(message, retryable=retryable)


def error_from_js(error: Exception, otherwise: type[RerankError]) -> RerankError:
    """Make the error that JavaScript's RerankError stands for; any other becomes `otherwise`.

    The text of a foreign error is not taken over: it may be the user's.
    """
    code = getattr(error, "code", None)
    if isinstance(code, str):
        message = str(getattr(error, "message", ""))
        return error_for_code(code, message, retryable=getattr(error, "retryable", None))
    return otherwise("A part of webrerank failed in JavaScript. Report it with what you did.")
