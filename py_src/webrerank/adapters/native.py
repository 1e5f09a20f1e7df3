"""CPython: Hugging Face tokenizers and native onnxruntime. The oracle for the tests."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from mmap import ACCESS_READ, mmap
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
from webrerank.interface import ModelInterface, check_answer, read_interface
from webrerank.model import ModelSpec, read_model
from webrerank.model_files import MODEL_FILES, model_paths
from webrerank.onnx_graph import Graph, read_graph
from webrerank.pairs import IntArray, PairBatch
from webrerank.ports import SessionPool
from webrerank.reranker import Reranker
from webrerank.results import RuntimeInfo
from webrerank.schedule import trial_batch
from webrerank.scoring import FloatArray


class NativeTokenizer:
    """Hugging Face tokenizers (Rust); implements the Tokenizer port."""

    def __init__(self, tokenizer_json: str) -> None:
        try:
            self._tokenizer = tokenizers.Tokenizer.from_str(tokenizer_json)
        except Exception as error:  # the library raises plain Exception
            raise UnsupportedModelError(
                "The model's tokenizer.json cannot be read by the tokenizer. Choose another model."
            ) from error

    def encode_batch(self, texts: Sequence[str]) -> list[IntArray]:
        try:
            encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        except Exception as error:
            raise TokenizationError(
                "The tokenizer failed on a text, as a damaged one does. Choose another model."
            ) from error
        return [np.asarray(encoding.ids, np.int32) for encoding in encodings]


class NativeSessionPool:
    """Single-threaded onnxruntime sessions side by side; implements the SessionPool port.

    Args:
        interface: how the graph is fed; read from the model if it is not given.
    """

    max_rows = 1

    def __init__(
        self, model: Path | bytes, sessions: int, interface: ModelInterface | None = None
    ) -> None:
        self.capacity = sessions
        self._executor = ThreadPoolExecutor(sessions, thread_name_prefix="webrerank")
        self._session = _open_session(model)
        if interface is None:
            with _opened_graph(model) as graph:
                interface = read_interface(graph)
        self._interface = interface
        self.lengths = (interface.length,) if interface.length else ()

    async def run(self, batch: PairBatch) -> FloatArray:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, partial(self.run_here, batch))

    def run_here(self, batch: PairBatch) -> FloatArray:
        """Run in the calling thread."""
        name = self._interface.output or self._session.get_outputs()[0].name
        try:
            (output,) = self._session.run([name], self._interface.feeds(batch))
        except Exception as error:
            raise InferenceError(
                "The model failed on this document, and the others are not affected. "
                "Leave it out, or choose another dtype or model."
            ) from error
        numbers = np.asarray(output, np.float32)
        return numbers.reshape(-1, 1) if numbers.ndim == 1 else numbers[: len(batch.input_ids)]


def _open_session(model: Path | bytes) -> ort.InferenceSession:
    """One session serves all threads: its runs are thread-safe and share the weights."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    try:
        return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base class
        raise UnsupportedModelError(
            f"ONNX Runtime cannot run this model: {_reason_in(error)}. "
            "Choose another model, or another export of this one."
        ) from error


@contextmanager
def _opened_graph(model: Path | bytes) -> Iterator[Graph]:
    """A model's graph, read where it lies."""
    if isinstance(model, bytes):
        yield read_graph(model)
        return
    with model.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as mapped:
        yield read_graph(mapped)


def _reason_in(error: Exception) -> str:
    """What is wrong with the model, without onnxruntime's own file names, which come first."""
    text = re.sub(r"^.*\.(?:cc|h):\d+ .*?\) (?=\S)", "", " ".join(str(error).split()))
    return text.removeprefix("[ONNXRuntimeError] : ").rstrip(".")[:500]


def load_reranker(
    folder: Path,
    *,
    dtype: str,
    sessions: int | None,
    cache: bool,
    engine: str,
    pools: Mapping[str, Callable[[Path, int], SessionPool]],
) -> Reranker:
    """Load a model folder; `webrerank.load_reranker` says what it does.

    Args:
        pools: engines beside onnxruntime, and what opens sessions of a model file on each.
    """
    if sessions is not None and sessions < 1:
        raise InvalidRequestError("sessions must be a whole number of at least 1.")
    if engine not in ("onnxruntime", *pools):
        raise InvalidRequestError("engine must be 'onnxruntime' or 'kernel'.")
    chosen, path = _model_file(folder, dtype)
    spec = _read_spec(folder, path)
    tokenizer = NativeTokenizer(spec.tokenizer_json)
    count = sessions or os.cpu_count() or 1
    pool = _open_native(path, count, spec) if engine not in pools else pools[engine](path, count)
    return Reranker(
        spec,
        tokenizer,
        pool,
        RuntimeInfo(folder.name, "cpu", chosen, count, engine=engine),
        ScoreCache() if cache else None,
    )


def _open_native(path: Path, sessions: int, spec: ModelSpec) -> SessionPool:
    pool = NativeSessionPool(path, sessions, spec.interface)
    if not spec.interface.is_certain:
        _try_out(spec, pool)
    return pool


def _try_out(spec: ModelSpec, pool: NativeSessionPool) -> None:
    try:
        outputs = pool.run_here(trial_batch(spec, pool))
    except InferenceError as error:
        raise UnsupportedModelError(
            "The model failed on a first, short pair. Choose another model."
        ) from error
    check_answer(outputs)


def _read_spec(folder: Path, model: Path) -> ModelSpec:
    texts = (
        _read(folder / "config.json"),
        _read(folder / "tokenizer.json"),
        _read(folder / "tokenizer_config.json", default="{}"),
    )
    try:
        with _opened_graph(model) as graph:
            return read_model(*texts, graph=graph)
    except (UnsupportedModelError, OSError, ValueError):  # mmap's for an empty file
        _open_session(model)  # of what is no model at all onnxruntime speaks first
        raise


def _model_file(folder: Path, dtype: str) -> tuple[str, Path]:
    if dtype != "auto" and dtype not in MODEL_FILES:
        raise InvalidRequestError(f"dtype must be 'auto' or one of {', '.join(MODEL_FILES)}.")
    if not folder.is_dir():
        raise ModelLoadError(
            f"There is no folder {folder}. Give the path of one with config.json, tokenizer.json "
            "and onnx/; the bundled model's is in dist/models/ after `python build.py build`.",
            retryable=False,
        )
    kinds = ("q8", "fp32", "fp16") if dtype == "auto" else (dtype,)
    files = (path for path in folder.rglob("*.onnx") if path.is_file())
    found = model_paths(path.relative_to(folder).as_posix() for path in files)
    for kind in kinds:
        if kind in found:
            return kind, folder / found[kind]
    names = [name for kind in kinds for name in MODEL_FILES[kind]]
    raise ModelLoadError(
        f"{folder} has no ONNX file for dtype {dtype!r}: none of {', '.join(names)} is there, nor "
        "any other whose name tells this precision. Choose another dtype, or another folder.",
        retryable=False,
    )


def _read(path: Path, default: str | None = None) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        if default is not None:
            return default
        raise ModelLoadError(
            f"{path} is missing, which a model folder needs. Check the path of the folder.",
            retryable=False,
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ModelLoadError(
            f"{path} cannot be read ({type(error).__name__}). Check that it is a text file that "
            "you may read.",
            retryable=False,
        ) from error
