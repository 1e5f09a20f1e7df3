"""Which ONNX file is which precision, in Python as in the browser (tests/store/test_names.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from webrerank.model_files import model_paths

CASES = json.loads((Path(__file__).parents[1] / "cases" / "model_files.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES)
def test_the_precision_of_a_file_by_its_name(case: dict[str, Any]) -> None:
    assert model_paths(case["paths"]) == case["found"]
