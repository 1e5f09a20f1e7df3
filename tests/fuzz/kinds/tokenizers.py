"""The JSON files of a model: read in CPython, and a share of the cases in the browser too."""

from __future__ import annotations

import json
from functools import cache
from random import Random
from typing import Any

from tests.fuzz import native
from tests.fuzz.case import Case, Edit
from tests.fuzz.edits import bytes_edit, edit_bytes, edit_json, json_edit
from tests.fuzz.lab import Lab, judge
from tests.fuzz.oracle import Oracle
from tests.hub import tokenizer_kinds as kinds
from webrerank.errors import error_for_code

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

QUERY = "How many people live in Berlin?"
DOCUMENTS = [*kinds.TEXT, " ", " ".join(kinds.TEXT) * 12, "a"]


class Tokenizers:
    """Damaged texts of a model are refused, or read in both places alike."""

    def __init__(self, lab: Lab, oracle: Oracle) -> None:
        self._lab = lab
        self._oracle = oracle
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
        texts = tuple(_text(case, name) for name in FILES)
        natively = self._oracle.ask(native.rerank_with_texts, texts, QUERY, DOCUMENTS)
        wrong = _judge_native(natively)
        self._cases += 1
        if wrong or natively is None or self._cases % BROWSER_SHARE:
            return wrong
        body = "return t.rerankWith(...JSON.parse(arg))"
        outcome = self._lab.run(body, json.dumps([texts, QUERY, DOCUMENTS]))
        if "value" not in outcome and "error" not in outcome:
            self._lab.run("t.endWorkers()")
        wrong = judge(outcome) or self._lab.complaint()
        if wrong or "value" not in outcome or natively[0] == "error":
            return wrong
        answer = [None if logit != logit else logit for logit in outcome["value"]]
        if answer == natively[1]:
            return ""
        return f"the browser reads other tokens: {answer} instead of {natively[1]}"


def _judge_native(answer: Any) -> str:
    if answer is None or answer[0] == "value":
        return ""  # a library that dies or hangs: nothing of ours can keep it from that
    _, kind, text, code = answer
    if code is None or code == "internal" or error_for_code(code, "").code != code:
        return f"Python raises {kind}: {text}"
    if code == "invalid_request" and "max_length" in text:
        return f"a good call is refused for what is wrong with the model: {text}"
    return ""


@cache
def values_of(base: str) -> dict[str, Any]:
    return {
        "config": {"max_position_embeddings": 512, **BASES[base]},
        "tokenizer": getattr(kinds, base)(),
        "tokenizer_config": {"model_max_length": 128, "tokenizer_class": "PreTrainedTokenizerFast"},
    }


def _text(case: Case, name: str) -> str:
    of_json = [edit[2:] for edit in case.edits if edit[:2] == [name, "json"]]
    of_bytes = [edit[2:] for edit in case.edits if edit[:2] == [name, "bytes"]]
    text = json.dumps(edit_json(values_of(case.base)[name], of_json))
    return edit_bytes(text.encode(), of_bytes).decode("utf-8", "replace")
