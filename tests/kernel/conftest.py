"""Both builds of the kernel, compiled once, in wasmtime."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import wasmtime

from tests.kernel.exported import Encoder, quantise
from webrerank.adapters.kernel import BUILDS, KernelSession, compile_kernel


@pytest.fixture(scope="session")
def modules() -> dict[str, wasmtime.Module]:
    return {build: compile_kernel(build) for build in BUILDS}


@pytest.fixture(scope="session")
def relaxed(modules: dict[str, wasmtime.Module]) -> wasmtime.Module:
    return modules["relaxed"]


Quantise = Callable[[Encoder], Path]


@pytest.fixture(scope="session")
def quantised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quantise]:
    """Models in int8, each made once."""
    made: dict[Encoder, Path] = {}

    def make(shape: Encoder) -> Path:
        if shape not in made:
            made[shape] = quantise(shape, tmp_path_factory.mktemp("model"))
        return made[shape]

    yield make


def load(module: wasmtime.Module, model: bytes) -> KernelSession:
    return KernelSession(module, [("", model)])
