"""The JSON files of a model: read in CPython, and a share of the cases in the browser too."""

from __future__ import annotations

import json
from functools import cache
from random import Random
from typing import Any

from tests.fuzz.bases import settled
from tests.fuzz.both import Both
from tests.fuzz.case import Case, Edit
from tests.fuzz.edits import bytes_edit, edit_bytes, edit_json, json_edit
from tests.fuzz.lab import Lab
from tests.fuzz.native import Files
from tests.fuzz.oracle import Oracle
from tests.hub import tokenizer_kinds as kinds
from tests.hub.graphs import Shape, encoder
from tests.hub.tiny_models import TWO_INPUTS

BASES: dict[str, dict[str, Any]] = {
    "word_piece": {"model_type": "bert"},
    "bert_processing": {"model_type": "bert", "pad_token_id": 0},
    "unigram_xlm_roberta": {"model_type": "xlm-roberta", "pad_token_id": 1},
    "unigram_deberta": {"model_type": "deberta-v2"},
    "byte_level_modernbert": {"model_type": "modernbert", "num_labels": 1},
    "byte_level_gpt": {"model_type": "gpt2", "id2label": {"0": "a"}},
    "byte_level_roberta": {"model_type": "roberta"},
    "byte_level_sequence": {"model_type": "llama"},
}
FILES = ("config", "tokenizer", "tokenizer_config")

#: One case in so many runs in the browser as well.
BROWSER_SHARE = 4


class Tokenizers:
    """Damaged texts of a model are refused, or read in both places alike."""

    def __init__(self, lab: Lab, oracle: Oracle) -> None:
        self._both = Both(lab, oracle)
        self._cases = 0

    def make(self, rng: Random) -> Case:
        base = rng.choice(list(BASES))
        edits: list[Edit] = []
        for _ in range(rng.choice([1, 1, 2, 3])):
            name = rng.choice([*FILES, "tokenizer"])
            value = values_of(base)[name]
            if rng.random() < 0.1:
                text = json.dumps(value).encode()
                edits.append([name, "bytes", *bytes_edit(rng, text, [])])
            else:
                edits.append([name, "json", *json_edit(rng, value)])
        return Case("tokenizers", base, edits)

    def run(self, case: Case) -> str:
        files = {f"{name}.json": _text(case, name).encode() for name in FILES}
        self._cases += 1
        in_browser = self._cases % BROWSER_SHARE == 1
        return self._both.compare({**files, **_weights()}, 1e-3, in_browser=in_browser)


@cache
def _weights() -> Files:
    """A model that tells tokens apart, and knows more of them than any base has."""
    shape = Shape(1000, TWO_INPUTS, hidden=16, layers=1, positions=0)
    return {"model.onnx": encoder(shape).SerializeToString()}


@cache
def values_of(base: str) -> dict[str, Any]:
    return {
        "config": {"max_position_embeddings": 512, **BASES[base]},
        "tokenizer": settled(getattr(kinds, base)()),
        "tokenizer_config": {"model_max_length": 128, "tokenizer_class": "PreTrainedTokenizerFast"},
    }


def _text(case: Case, name: str) -> str:
    of_json = [edit[2:] for edit in case.edits if edit[:2] == [name, "json"]]
    of_bytes = [edit[2:] for edit in case.edits if edit[:2] == [name, "bytes"]]
    text = json.dumps(edit_json(values_of(case.base)[name], of_json))
    return edit_bytes(text.encode(), of_bytes).decode("utf-8", "replace")
