"""Values of the core do not change once they are made: several calls may hold the same one."""

import importlib
from dataclasses import is_dataclass

import pytest

from tests.repo.sources import python_modules

#: Those that can be imported without Pyodide.
MODULES = [name for name in python_modules() if ".pyodide_" not in name and "worker" not in name]


@pytest.mark.parametrize("name", MODULES)
def test_dataclasses_are_frozen(name: str) -> None:
    for value in vars(importlib.import_module(name)).values():
        if isinstance(value, type) and is_dataclass(value):
            assert value.__dataclass_params__.frozen, value  # type: ignore[attr-defined]


def test_there_are_some() -> None:
    assert is_dataclass(importlib.import_module("webrerank.pairs").EncodedPair)
