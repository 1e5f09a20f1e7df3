"""What callers ask: JavaScript and Python accept the same, refuse the same, answer the same."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz import native
from tests.fuzz.bases import files_of
from tests.fuzz.case import Case
from tests.fuzz.lab import Lab, judge
from tests.fuzz.oracle import Oracle
from tests.properties.strategies import documents, json_like, texts

MODEL = "test/asked"

#: The names of the options in JavaScript and in Python.
NAMES = {"topK": "top_k", "minScore": "min_score", "maxLength": "max_length"}

REQUESTS = st.fixed_dictionaries(
    {
        "query": texts | json_like,
        "documents": st.lists(documents, max_size=5) | st.lists(json_like, max_size=3) | json_like,
    },
    optional={
        "topK": st.integers(-1, 4) | json_like,
        "minScore": st.floats(0, 1) | json_like,
        "maxLength": st.integers(0, 600) | json_like,
        "fields": st.lists(st.sampled_from(["text", "title"]), max_size=2) | json_like,
    },
)

ASK = """
    if (!t.reranker) await t.start({ model: arg[0], sessions: 1, device: 'wasm' });
    const { results } = await t.reranker.rerank(JSON.parse(arg[1]));
    return results.map(({ index, logit }) => [index, logit]);"""


class Requests:
    """One request, asked in both languages."""

    def __init__(self, lab: Lab, oracle: Oracle) -> None:
        self._lab = lab
        self._oracle = oracle
        lab.publish(MODEL, files_of("bert"))

    def make(self, rng: Random) -> Case:
        return Case(
            "requests", "bert", [["ask", name, value] for name, value in _draw(rng).items()]
        )

    def run(self, case: Case) -> str:
        request = {name: value for _, name, value in case.edits}
        request = {"query": "q", "documents": ["a"], **request}
        self._lab.hub.reset()
        outcome = self._lab.run(ASK, [MODEL, json.dumps(request)])
        wrong = judge(outcome) or self._lab.complaint()
        if wrong:
            return wrong
        in_python = {NAMES.get(name, name): value for name, value in request.items()}
        answer = self._oracle.ask(native.rerank, files_of("bert"), in_python)
        if answer is None:
            return ""
        if answer[0] == "error":
            code = (outcome.get("error") or {}).get("code")
            if code == answer[3]:
                return ""
            return (
                f"Python refuses ({answer[1]}: {answer[2]}), JavaScript gives {code or 'an answer'}"
            )
        if "error" in outcome:
            return f"Python answers, JavaScript refuses: {outcome['error']['message']}"
        return _compare(outcome["value"], answer[1])


def _compare(answer: list[list[Any]], natively: list[tuple[int, float | None]]) -> str:
    if len(answer) != len(natively):
        return f"{len(answer)} results in JavaScript, {len(natively)} in Python"
    for (_, one), (_, other) in zip(answer, natively, strict=True):
        if (one is None) != (other is None) or abs((one or 0) - (other or 0)) > 1e-3:
            return f"other logits in JavaScript than in Python: {answer}, {natively}"
    return ""


def _draw(rng: Random) -> dict[str, Any]:
    """One request, as hypothesis makes them, with what JSON cannot hold left out."""
    drawn: list[dict[str, Any]] = []

    @seed(rng.randrange(2**32))
    @settings(
        max_examples=8,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(REQUESTS)
    def collect(request: dict[str, Any]) -> None:
        drawn.append(request)

    collect()
    plain = {name: _plain(value) for name, value in drawn[-1].items()}
    return {name: value for name, value in plain.items() if value is not None}


def _plain(value: Any) -> Any:
    """The value as JSON has it, in numbers that both languages tell apart."""
    if isinstance(value, dict):
        return {_plain(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, bool) or value is None or type(value) is str:
        return value
    if isinstance(value, int | float) and abs(value) < 2**53:  # neither NaN nor infinite
        return int(value) if value == int(value) else float(value)
    return "no number"
