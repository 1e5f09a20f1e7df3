"""ONNX files, through the browser's own code: weights split off, last layer cut, ONNX Runtime."""

from __future__ import annotations

import base64
import math
import tempfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import onnx

from tests.e2e.support import MODEL_FOLDER
from tests.fuzz import native
from tests.fuzz.case import Case, Edit
from tests.fuzz.edits import bytes_edit, edit_bytes, length_places
from tests.fuzz.lab import Lab, judge
from tests.fuzz.onnx_edits import edit_proto, proto_edit
from tests.fuzz.oracle import Oracle
from tests.hub.tiny_models import ARCHITECTURES, make_model

#: Each base, and how far its logits may be from native ones: activations of int8 are rounded.
BASES = {
    "bert": 1e-3,
    "bert-two-labels": 1e-3,
    "xlm-roberta-external": 1e-3,
    "roberta": 1e-3,
    "gpt": 1e-3,
    "bert-fp16": 2e-2,
    "bert-q8": 0.15,
    "bundled": 0.3,
}

#: The bundled model's 34 MB take their time.
RARE = "bundled"

#: After so many cases the workers are new: a session that is replaced is not freed.
WORKER_CASES = 15

BATCHES: list[native.Batch] = [
    {
        "input_ids": [2, *range(5, 5 + length), 3],
        "attention_mask": [1] * (length + 2),
        "token_type_ids": [0] * (length // 2) + [1] * (length + 2 - length // 2),
    }
    for length in (3, 9)
]

Files = dict[str, bytes]


class Models:
    """Mutated models load and answer as natively, or are refused."""

    def __init__(self, lab: Lab, oracle: Oracle) -> None:
        self._lab = lab
        self._oracle = oracle
        self._cases = 0

    def make(self, rng: Random) -> Case:
        names = [name for name in BASES if name != RARE]
        base = RARE if rng.random() < 0.01 else rng.choice(names)
        model = _proto(base)
        edits: list[Edit] = []
        for _ in range(rng.choice([1, 1, 1, 2, 4])):
            if base == RARE or rng.random() < 0.4:
                data = files_of(base)["model.onnx"]
                edits.append(["bytes", *bytes_edit(rng, data, _places(base))])
            else:
                edits.append(["proto", *proto_edit(rng, model)])
        return Case("models", base, edits)

    def run(self, case: Case) -> str:
        files = _changed(case)
        outcome = self._lab.run(
            "return t.logits(arg[0].map(t.fileOf), arg[1], arg[2])",
            [_listed(files), _dtype(case.base), BATCHES],
        )
        self._cases += 1
        if "value" not in outcome or self._cases % WORKER_CASES == 0:
            self._lab.run("t.endWorkers()")
        wrong = judge(outcome) or self._lab.complaint()
        if wrong or "value" not in outcome:
            return wrong
        return self._compare(files, outcome["value"], BASES[case.base])

    def _compare(self, files: Files, answer: list[list[float]], tolerance: float) -> str:
        beside = {name: content for name, content in files.items() if "onnx" in name}
        natively = [
            self._oracle.ask(native.model_outputs, beside, BATCHES, it) for it in (True, False)
        ]
        known = [found[1] for found in natively if found and found[0] == "value"]
        if len(known) < 2 or not _alike(known[0], known[1], tolerance / 2):
            return ""  # natively refused, or so ill-conditioned that there is no right answer
        if any(_alike(answer, right, tolerance) for right in known):
            return ""
        return f"another answer than natively: {answer} instead of {known[0]}"


def _alike(one: list[list[float]], other: list[list[float]], tolerance: float) -> bool:
    def near(a: float, b: float) -> bool:
        if not (math.isfinite(a) and math.isfinite(b)):
            return not math.isfinite(a) and not math.isfinite(b)
        return abs(a - b) <= tolerance * (1 + max(abs(a), abs(b)))

    return len(one) == len(other) and all(
        len(first) == len(second) and all(map(near, first, second))
        for first, second in zip(one, other, strict=True)
    )


@cache
def files_of(base: str) -> Files:
    """A model's files by name; its weights are model.onnx."""
    with tempfile.TemporaryDirectory() as name:
        folder = MODEL_FOLDER if base == RARE else make_model(Path(name) / "model", base)
        files = {
            path.name: path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.suffix not in (".br", ".gz", ".txt", ".md")
        }
    weights = next(name for name in files if name.endswith(".onnx"))
    files["model.onnx"] = files.pop(weights)
    return files


@cache
def _proto(base: str) -> onnx.ModelProto:
    return onnx.load_from_string(files_of(base)["model.onnx"])


@cache
def _places(base: str) -> list[int]:
    return length_places(files_of(base)["model.onnx"])


def _dtype(base: str) -> str:
    """All are named model.onnx, so that is what they are asked for as."""
    return "fp32"


def _changed(case: Case) -> Files:
    files = dict(files_of(case.base))
    structure = [edit[1:] for edit in case.edits if edit[0] == "proto"]
    raw = [edit[1:] for edit in case.edits if edit[0] == "bytes"]
    data = edit_proto(_proto(case.base), structure) if structure else files["model.onnx"]
    return {**files, "model.onnx": edit_bytes(data, raw)}


def _listed(files: Files) -> list[dict[str, Any]]:
    return [
        {"path": f"folder/{name}", "base64": base64.b64encode(content).decode()}
        for name, content in files.items()
    ]


assert set(BASES) - {RARE} <= set(ARCHITECTURES)
