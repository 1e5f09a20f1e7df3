"""What a host of the kernel needs beside WebAssembly: a model's files, and what answers mean."""

from __future__ import annotations

from pathlib import Path

from webrerank.errors import (
    InferenceError,
    ModelLoadError,
    OutOfMemoryError,
    RerankError,
    UnsupportedModelError,
)

#: How a call of the kernel ends; the same numbers stand in kernel/base.h.
NOT_UNDERSTOOD, OUT_OF_MEMORY, BAD_TOKEN, TOO_LONG = 1, 2, 3, 4


def model_files(model: Path) -> list[tuple[str, bytes]]:
    """Read a graph, and what lies beside it under its name: `model.onnx_data`, for example."""
    beside = sorted(path for path in model.parent.glob("*") if _belongs_to(path, model))
    try:
        return [("", model.read_bytes()), *((path.name, path.read_bytes()) for path in beside)]
    except OSError as error:
        raise ModelLoadError(
            f"{model} cannot be read ({type(error).__name__}). Check that you may read it.",
            retryable=False,
        ) from error


def _belongs_to(path: Path, model: Path) -> bool:
    return path != model and path.is_file() and path.name.startswith(model.name)


def error_of(status: int, reason: str = "") -> RerankError:
    """The error that a status stands for; `reason` is why the kernel refused a model."""
    if status == NOT_UNDERSTOOD:
        return UnsupportedModelError(
            f"The kernel does not run this model ({reason}). Use engine='onnxruntime'."
        )
    if status == OUT_OF_MEMORY:
        return OutOfMemoryError("There is too little memory for the model. Use fewer sessions.")
    if status == TOO_LONG:
        return InferenceError(
            "A pair is longer than the model allows. Leave the document out, or lower max_length."
        )
    if status == BAD_TOKEN:
        return InferenceError(
            "A pair has a token that the model does not know. Leave the document out."
        )
    return InferenceError("The kernel ended without a reason. Use engine='onnxruntime'.")
