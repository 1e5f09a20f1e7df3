"""CPython: the browser's own kernel (web/kernel/*.wasm) in wasmtime, with the very same logits."""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import wasmtime

from webrerank.errors import (
    InferenceError,
    ModelLoadError,
    RuntimeLoadError,
    UnsupportedModelError,
)
from webrerank.kernel_host import TOO_LONG, error_of, model_files
from webrerank.pairs import IntArray, PairBatch
from webrerank.scoring import FloatArray

#: The fastest first; both give the same logits.
BUILDS = ("relaxed", "plain")

#: In the wheel, or in the repository.
FOLDERS = (
    Path(__file__).parents[1] / "kernel",
    Path(__file__).parents[3] / "web" / "kernel",
)


def _make_engine() -> wasmtime.Engine:
    """Signals are left to the program: its own handlers (faulthandler's, say) would end it when
    the kernel refuses a model."""
    config = wasmtime.Config()
    config.signals_based_traps = False
    return wasmtime.Engine(config)


#: Sessions of one engine share what was compiled.
ENGINE = _make_engine()


class KernelSession:
    """One model in one WebAssembly memory; one run at a time.

    Args:
        module: of `compile_kernel`.
        files: the name and the bytes of each; the first is the graph, others hold weights that it
            names.

    Raises:
        UnsupportedModelError: the kernel does not understand the model.
        OutOfMemoryError: there is too little memory for it.
    """

    def __init__(self, module: wasmtime.Module, files: Sequence[tuple[str, bytes]]) -> None:
        self._store = wasmtime.Store(ENGINE)
        self._files = [content for _, content in files]
        read = wasmtime.Func(
            self._store, wasmtime.FuncType([wasmtime.ValType.i32()] * 4, []), self._read
        )
        self._exports = wasmtime.Instance(self._store, module, [read]).exports(self._store)
        memory = self._exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        self._memory = memory
        for name, content in files:
            encoded = name.encode()
            place = self._call("allocate", len(encoded))
            self._memory.write(self._store, encoded, place)
            self._call("add_file", place, len(encoded), _as_int32(len(content)))
        try:
            self._call("load")
        finally:
            self._files = []  # the weights are packed now
        self.labels = self._call("labels")

    def run(self, ids: IntArray, types: IntArray) -> FloatArray:
        """Score one pair.

        Args:
            ids, types: shape (length,), without padding.

        Returns:
            float32, shape (n_logits,).

        Raises:
            InferenceError: an id, a type or the length is beyond what the model has.
        """
        place = self._call("ids", len(ids))
        if not place:
            raise error_of(TOO_LONG)
        for start, values in ((place, ids), (self._call("types"), types)):
            self._memory.write(self._store, np.asarray(values, "<i8").tobytes(), start)
        if status := self._call("run", len(ids)):
            raise error_of(status)
        start = self._call("logits")
        answer = self._memory.read(self._store, start, start + 4 * self.labels)
        return np.frombuffer(bytes(answer), "<f4").astype(np.float32)

    @property
    def memory_bytes(self) -> int:
        """What the session holds: weights, and where it computes."""
        return int(self._memory.data_len(self._store))

    def _call(self, name: str, *arguments: int) -> int:
        """Call the kernel; a trap is how it gives up."""
        function = self._exports[name]
        assert isinstance(function, wasmtime.Func)
        try:
            result = function(self._store, *arguments)
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            raise error_of(self._call("status"), self._reason()) from error
        return int(result or 0) & 0xFFFFFFFF  # an address

    def _reason(self) -> str:
        start = self._call("reason")
        text = bytes(self._memory.read(self._store, start, start + 200))
        return text.partition(b"\0")[0].decode()

    def _read(self, file: int, start: int, into: int, length: int) -> None:
        """What the kernel imports: bytes of a file, to a place in its memory."""
        begin, size = start & 0xFFFFFFFF, length & 0xFFFFFFFF
        part = self._files[file][begin : begin + size]
        base = ctypes.addressof(self._memory.data_ptr(self._store).contents)
        assert (into & 0xFFFFFFFF) + len(part) <= self._memory.data_len(self._store)
        ctypes.memmove(base + (into & 0xFFFFFFFF), part, len(part))


class KernelSessionPool:
    """Kernel sessions side by side, a thread each; implements the SessionPool port."""

    max_rows = 1
    lengths = ()

    def __init__(self, model: Path, sessions: int) -> None:
        self.capacity = sessions
        module, files = fastest_kernel(), model_files(model)
        self._free: SimpleQueue[KernelSession] = SimpleQueue()
        for _ in range(sessions):
            self._free.put(KernelSession(module, files))
        self._executor = ThreadPoolExecutor(sessions, thread_name_prefix="webrerank")

    async def run(self, batch: PairBatch) -> FloatArray:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, partial(self._run, batch))

    def _run(self, batch: PairBatch) -> FloatArray:
        if not batch.attention_mask.all():
            raise InferenceError(
                "The kernel was given padding, which it does not run. Use engine='onnxruntime'."
            )
        session = self._free.get()  # as many as threads
        try:
            rows = zip(batch.input_ids, batch.token_type_ids, strict=True)
            return np.stack([session.run(ids, types) for ids, types in rows])
        finally:
            self._free.put(session)


def compile_kernel(build: str) -> wasmtime.Module:
    """Compile the build "relaxed" or "plain"; both give the same logits.

    Raises:
        ModelLoadError: it is not there.
    """
    for folder in FOLDERS:
        path = folder / f"{build}.wasm"
        if path.is_file():
            return wasmtime.Module(ENGINE, path.read_bytes())
    raise ModelLoadError(
        f"webrerank/kernel/{build}.wasm is missing. Install webrerank once more.", retryable=False
    )


def fastest_kernel() -> wasmtime.Module:
    """The fastest build that computes rightly here."""
    for build in BUILDS:
        module = compile_kernel(build)
        if computes_rightly(module):
            return module
    raise RuntimeLoadError(
        "wasmtime computes the kernel wrongly here. Use engine='onnxruntime'.", retryable=False
    )


def computes_rightly(module: wasmtime.Module) -> bool:
    """Whether the products, known ones, come out as they should."""
    store = wasmtime.Store(ENGINE)
    kind = wasmtime.FuncType([wasmtime.ValType.i32()] * 4, [])
    read = wasmtime.Func(store, kind, lambda *_: None)
    probe = wasmtime.Instance(store, module, [read]).exports(store)["probe"]
    assert isinstance(probe, wasmtime.Func)
    return bool(probe(store))


def _as_int32(value: int) -> int:
    if value >= 2**32:
        raise UnsupportedModelError(
            "The model is too large for the kernel, by its 4 GiB. Use engine='onnxruntime'."
        )
    return value - 2**32 if value >= 2**31 else value
