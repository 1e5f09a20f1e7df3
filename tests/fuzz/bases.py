"""The good models that cases start from: the same in every run, or a seed would not make the same
case again."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from tests.e2e.support import MODEL_FOLDER
from tests.fuzz.native import Files
from tests.hub import tokenizer_kinds as kinds
from tests.hub.tiny_models import ARCHITECTURES, make_model

#: 34 MB: its cases take their time.
BUNDLED = "bundled"

#: Not the model's.
NOT_READ = (".br", ".gz", ".txt", ".md")


def settled(values: dict[str, Any]) -> dict[str, Any]:
    """A tokenizer with a vocabulary that hangs on nothing: training goes by the order of a hash."""
    model = dict(values["model"])
    words = sorted({word for text in kinds.TEXT for word in text.split()})
    letters = sorted({letter for word in words for letter in (*word, *word.lower())})
    if model["type"] == "WordPiece":
        special = [token["content"] for token in values["added_tokens"]]
        pieces = [
            *special,
            *letters,
            *(f"##{letter}" for letter in letters),
            *map(str.lower, words),
        ]
        model["vocab"] = {piece: place for place, piece in enumerate(dict.fromkeys(pieces))}
    elif model["type"] == "Unigram":
        special = [token["content"] for token in values["added_tokens"]]
        pieces = [*letters, "▁", *(f"▁{word}" for word in words)]
        scored = [[piece, -3.0 - place / 100] for place, piece in enumerate(dict.fromkeys(pieces))]
        model["vocab"] = [*([token, 0.0] for token in special), *scored]
    return {**values, "model": model}


@cache
def files_of(base: str) -> Files:
    """A model's files by name; its weights are model.onnx."""
    if base == BUNDLED:
        return _read(MODEL_FOLDER)
    made = ARCHITECTURES[base]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "model"
        return _read(make_model(folder, replace(made, tokenizer=lambda: settled(made.tokenizer()))))


def _read(folder: Path) -> Files:
    paths = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in NOT_READ]
    files = {path.name: path.read_bytes() for path in paths}
    weights = next(name for name in files if name.endswith(".onnx"))
    files["model.onnx"] = files.pop(weights)
    return files
