"""ONNX files, through the browser's own code: weights split off, last layer cut, ONNX Runtime."""

from __future__ import annotations

from functools import cache
from random import Random

import onnx

from tests.fuzz.bases import BUNDLED, files_of
from tests.fuzz.both import Both
from tests.fuzz.case import Case, Edit
from tests.fuzz.edits import bytes_edit, edit_bytes, length_places
from tests.fuzz.lab import Lab
from tests.fuzz.native import Files
from tests.fuzz.onnx_edits import edit_proto, proto_edit
from tests.fuzz.oracle import Oracle

#: Each base, and how far its logits may be from native ones: activations of int8 are rounded.
BASES = {
    "bert": 1e-3,
    "bert-two-labels": 1e-3,
    "xlm-roberta-external": 1e-3,
    "roberta": 1e-3,
    "gpt": 1e-3,
    "bert-fp16": 2e-2,
    "bert-q8": 0.15,
    BUNDLED: 0.3,
}


class Models:
    """Mutated models load and answer as natively, or are refused."""

    def __init__(self, lab: Lab, oracle: Oracle) -> None:
        self._both = Both(lab, oracle)

    def make(self, rng: Random) -> Case:
        names = [name for name in BASES if name != BUNDLED]
        base = BUNDLED if rng.random() < 0.01 else rng.choice(names)
        model = _proto(base)
        edits: list[Edit] = []
        for _ in range(rng.choice([1, 1, 1, 2, 4])):
            if base == BUNDLED or rng.random() < 0.4:
                data = files_of(base)["model.onnx"]
                edits.append(["bytes", *bytes_edit(rng, data, _places(base))])
            else:
                edits.append(["proto", *proto_edit(rng, model)])
        return Case("models", base, edits)

    def run(self, case: Case) -> str:
        return self._both.compare(_changed(case), BASES[case.base])


@cache
def _proto(base: str) -> onnx.ModelProto:
    return onnx.load_from_string(files_of(base)["model.onnx"])


@cache
def _places(base: str) -> list[int]:
    return length_places(files_of(base)["model.onnx"])


def _changed(case: Case) -> Files:
    files = dict(files_of(case.base))
    structure = [edit[1:] for edit in case.edits if edit[0] == "proto"]
    raw = [edit[1:] for edit in case.edits if edit[0] == "bytes"]
    data = edit_proto(_proto(case.base), structure) if structure else files["model.onnx"]
    return {**files, "model.onnx": edit_bytes(data, raw)}
