"""CPython: Hugging Face tokenizers and native onnxruntime. The oracle for the tests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime as ort
import tokenizers

from webrerank.cache import ScoreCache
from webrerank.errors import (
    InferenceError,
    InvalidRequestError,
    ModelLoadError,
    TokenizationError,
    UnsupportedModelError,
)
from webrerank.model import read_model
from webrerank.pairs import IntArray, PairBatch
from webrerank.reranker import Reranker
from webrerank.results import RuntimeInfo
from webrerank.scoring import FloatArray

#: The hub's file names for each precision, first found wins: those of web/lib/store/layout.js.
MODEL_FILES = {
    "q8": (
        *("onnx/model_quantized.onnx", "onnx/model_int8.onnx", "onnx/model_uint8.onnx"),
        *("onnx/model_quint8_avx2.onnx", "onnx/model_qint8_avx512_vnni.onnx"),
        *("onnx/model_qint8_arm64.onnx", "model_quantized.onnx"),
    ),
    "fp16": ("onnx/model_fp16.onnx", "model_fp16.onnx"),
    "fp32": ("onnx/model.onnx", "model.onnx"),
}


class NativeTokenizer:
    """Hugging Face tokenizers (Rust); implements the Tokenizer port."""

    def __init__(self, tokenizer_json: str) -> None:
        try:
            self._tokenizer = tokenizers.Tokenizer.from_str(tokenizer_json)
        except Exception as error:  # the library raises plain Exception
            raise UnsupportedModelError(
                "The model's tokenizer.json is not supported by Hugging Face tokenizers."
            ) from error

    def encode_batch(self, texts: Sequence[str]) -> list[IntArray]:
        try:
            encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        except Exception as error:
            raise TokenizationError("The tokenizer could not encode a text.") from error
        return [np.asarray(encoding.ids, np.int32) for encoding in encodings]


class NativeSessionPool:
    """Single-threaded onnxruntime sessions side by side; implements the SessionPool port."""

    max_rows = 1
    lengths = ()

    def __init__(self, model: Path | bytes, sessions: int) -> None:
        self.capacity = sessions
        self._executor = ThreadPoolExecutor(sessions, thread_name_prefix="webrerank")
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        source = model if isinstance(model, bytes) else str(model)
        try:
            # One session serves all threads: its runs are thread-safe and share the weights.
            self._session = ort.InferenceSession(
                source, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors share no base class
            raise ModelLoadError("onnxruntime could not load the model file.") from error
        self._inputs = [value.name for value in self._session.get_inputs()]
        if unknown := set(self._inputs) - {"input_ids", "attention_mask", "token_type_ids"}:
            raise UnsupportedModelError(
                f"The model wants the inputs {', '.join(sorted(unknown))}, which no reranker has."
            )

    async def run(self, batch: PairBatch) -> FloatArray:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, partial(self._run, batch))

    def _run(self, batch: PairBatch) -> FloatArray:
        feeds = {name: getattr(batch, name) for name in self._inputs}
        try:
            outputs = self._session.run(None, feeds)
        except Exception as error:
            raise InferenceError("onnxruntime failed to run the model.") from error
        return np.asarray(outputs[0], np.float32)


def load_reranker(
    folder: Path, *, dtype: str = "auto", sessions: int | None = None, cache: bool = True
) -> Reranker:
    """Load a model folder; `webrerank.load_reranker` says what it does."""
    if sessions is not None and sessions < 1:
        raise InvalidRequestError("sessions must be a whole number of at least 1.")
    chosen, path = _model_file(folder, dtype)
    spec = read_model(
        _read(folder / "config.json"),
        _read(folder / "tokenizer.json"),
        _read(folder / "tokenizer_config.json", default="{}"),
    )
    count = sessions or os.cpu_count() or 1
    return Reranker(
        spec,
        NativeTokenizer(spec.tokenizer_json),
        NativeSessionPool(path, count),
        RuntimeInfo(model=folder.name, device="cpu", dtype=chosen, sessions=count),
        ScoreCache() if cache else None,
    )


def _model_file(folder: Path, dtype: str) -> tuple[str, Path]:
    if dtype != "auto" and dtype not in MODEL_FILES:
        raise InvalidRequestError(f"dtype must be 'auto' or one of {', '.join(MODEL_FILES)}.")
    if not folder.is_dir():
        raise ModelLoadError(
            f"There is no folder {folder}. Give the path of one with config.json, tokenizer.json "
            "and onnx/; the bundled model's is in dist/models/ after `python build.py build`."
        )
    kinds = ("q8", "fp32", "fp16") if dtype == "auto" else (dtype,)
    names = {name: kind for kind in kinds for name in MODEL_FILES[kind]}
    for name, kind in names.items():
        if (folder / name).is_file():
            return kind, folder / name
    raise ModelLoadError(
        f"{folder} has no ONNX file for dtype {dtype!r}. Looked for: {', '.join(names)}."
    )


def _read(path: Path, default: str | None = None) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        if default is not None:
            return default
        raise ModelLoadError(f"{path} is missing; a model folder needs it.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ModelLoadError(f"{path} cannot be read.") from error
