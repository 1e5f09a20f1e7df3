"""The adapters of each port: `fake` everywhere, `native` in CPython, `pyodide` inside Pyodide.
The session pool has one more in CPython, `kernel`.

The same suites run in both places; tests/pyodide carries them into the browser. An adapter is
imported when it is used, since neither real one can be imported in the other's place.
"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakePool, FakeTokenizer
from webrerank.model import read_model
from webrerank.ports import SessionPool, Tokenizer

IN_CPYTHON = sys.platform != "emscripten"

REAL = "pyodide" if sys.platform == "emscripten" else "native"

FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")


def native_tokenizer(folder: Path) -> Tokenizer:
    from webrerank.adapters.native import NativeTokenizer

    spec = read_model(*[(folder / name).read_text(encoding="utf-8") for name in FILES])
    return NativeTokenizer(spec.tokenizer_json)


def native_pool(folder: Path) -> SessionPool:
    from webrerank.adapters.native import NativeSessionPool

    return NativeSessionPool(folder / "onnx" / "model_quantized.onnx", 2)


def kernel_pool(folder: Path) -> SessionPool:
    from webrerank.adapters.kernel import KernelSessionPool

    return KernelSessionPool(folder / "onnx" / "model_quantized.onnx", 2)


async def pyodide_tokenizer() -> Tokenizer:
    import js

    from webrerank.adapters.pyodide_tokenizer import PyodideTokenizer

    spec = read_model(*[await js.harness.modelText(name) for name in FILES])
    return PyodideTokenizer(await js.harness.loadTokenizer(spec.tokenizer_json))


async def pyodide_pool() -> SessionPool:
    import js

    from webrerank.adapters.pyodide_sessions import PyodideSessionPool

    pool = PyodideSessionPool(2, 1, in_time=js.harness.inTime)
    for index in range(2):
        pool.attach(index, await js.harness.openSession())
    return pool


@pytest.fixture(scope="module", params=["fake", REAL])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    if request.param == "native":
        return native_tokenizer(request.getfixturevalue("model_folder"))
    if request.param == "pyodide":
        return asyncio.run(pyodide_tokenizer())
    return FakeTokenizer()


@pytest.fixture(scope="module")
def real_tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    if REAL == "native":
        return native_tokenizer(request.getfixturevalue("model_folder"))
    return asyncio.run(pyodide_tokenizer())


@pytest.fixture(scope="module")
def real_pool(request: pytest.FixtureRequest) -> SessionPool:
    """One pool for the module: loading the model takes its time."""
    if REAL == "native":
        return native_pool(request.getfixturevalue("model_folder"))
    return asyncio.run(pyodide_pool())


@pytest.fixture(scope="module")
def real_kernel_pool(model_folder: Path) -> SessionPool:
    return kernel_pool(model_folder)


@pytest.fixture(params=["fake", "fake-batches", REAL, *(["kernel"] if IN_CPYTHON else [])])
def pool(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "kernel":
        yield request.getfixturevalue("real_kernel_pool")
    elif request.param == REAL:
        yield request.getfixturevalue("real_pool")
    else:
        yield FakePool(capacity=4, max_rows=8 if request.param == "fake-batches" else 1)
