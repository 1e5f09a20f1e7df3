"""Messages that no page of ours sends, to each worker and over the ports between them."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from tests.fuzz.bases import files_of
from tests.fuzz.both import listed
from tests.fuzz.case import Case, Edit
from tests.fuzz.edits import ODD, edit_json, json_edit
from tests.fuzz.lab import Lab, judge
from tests.fuzz.oracle import Oracle

#: lib/protocol.js: another is refused before anything else is looked at.
PROTOCOL = 2

#: Good messages of each worker; `boot` is left out, as starting Python again takes seconds.
GOOD: dict[str, list[dict[str, Any]]] = {
    "model-worker": [
        {"name": "resolve", "payload": {"model": "ms-marco-MiniLM-L-12-v2"}},
        {"name": "list", "payload": None},
        {"name": "remove", "payload": {"name": "mine"}},
        {"name": "export", "payload": {"name": "mine"}},
        {"name": "storedBytes", "payload": None},
        {"name": "add", "payload": {"name": "mine", "files": []}},
        {"name": "import", "payload": {"file": "x"}},
        {"name": "open", "payload": {"model": "mine", "dtype": "fp32"}},
    ],
    "session-worker": [
        {"name": "warmup", "payload": {"shapes": [[1, 8]]}},
        {"name": "probe", "payload": {"rows": 1, "length": 2, "inputIds": {"big": [2, 3]}}},
        {"name": "load", "payload": {"graph": "x", "externalData": [], "port": None}},
    ],
    "python-worker": [
        {"name": "rerank", "payload": {"query": "q", "texts": ["a", "b"], "wantResults": True}},
        {"name": "detach", "payload": {"index": 7, "stopped": False}},
        {"name": "attach", "payload": {"index": 9, "port": None}},
        {"name": "computingCancelled", "payload": None},
        {"name": "load", "payload": {"config": "{}", "tokenizer": "{}", "tokenizerConfig": "{}"}},
    ],
}

#: A session's answers to a run, of which Python must make an error or a number.
ANSWERS: list[Any] = [
    *({"type": "logits", "logits": {"floats": values}} for values in ([], [1, 2, 3], [1])),
    *({"type": "logits", "logits": value} for value in (None, "a", 5, [1], {"big": [1]})),
    {"type": "failed", "error": {"code": "out_of_memory", "message": 5}},
    {"type": "failed", "error": {"code": "inference", "message": "told", "cause": {}}},
]

#: A worker that must answer has five seconds for it.
SEND = """
    for (const message of t.parse(arg[1])) {
      t.asked = `${arg[0]}'s ${message?.name}`;
      const sent = t.send(arg[0], message);
      const owed = message?.type === 'call' && typeof message.id === 'number';
      const answer = await Promise.race([sent, t.sleep(owed ? 5000 : 20)]);
      if (!owed) continue;
      if (!answer) throw new Error('no answer to a call');
      if (answer.type === 'failed' && typeof answer.error?.message !== 'string')
        throw new Error('an answer without words');
    }"""

#: Reranks while a session answers as told.
ANSWER = """
    t.answer = t.parse(arg[1]);
    try { return await t.rerankWith(arg[0].map(t.fileOf), 'fp32', 'q', ['a', 'b c', 'd']); }
    finally { t.answer = null; }"""


class Messages:
    """A worker answers each call, lives on, and is of use afterwards."""

    def __init__(self, lab: Lab, _oracle: Oracle) -> None:
        self._lab = lab

    def make(self, rng: Random) -> Case:
        base = rng.choice([*GOOD, "answers"])
        if base == "answers":
            return Case("messages", base, [rng.choice(ANSWERS) for _ in range(rng.choice([1, 3]))])
        edits: list[Edit] = []
        for number in range(rng.choice([1, 3, 10])):
            good = rng.choice(GOOD[base])
            message = {"v": PROTOCOL, "id": 5_000_000 + number, "type": "call", **good}
            changes = [json_edit(rng, message) for _ in range(rng.choice([0, 1, 1, 2]))]
            changed = edit_json(message, [edit for edit in changes if edit[1]])
            edits.append(rng.choice(ODD) if rng.random() < 0.05 else changed)
        return Case("messages", base, edits)

    def run(self, case: Case) -> str:
        if case.base == "answers":
            return self._run_answers(case)
        wrong = self._is_good(case.base)
        if wrong:
            return f"before: {wrong}"
        outcome = self._lab.run(SEND, [case.base, json.dumps(_finite(case.edits))])
        # What it is refused with is a matter between two files of ours; that it answers is not.
        wrong = (outcome.get("error") or {}).get("message", "") or judge(outcome)
        wrong = wrong and f"{outcome.get('at')}: {wrong}"
        wrong = wrong or self._lab.complaint() or self._is_good(case.base)
        if wrong:
            self._lab.renew()
        return wrong

    def _run_answers(self, case: Case) -> str:
        for answer in case.edits:
            outcome = self._lab.run(ANSWER, [listed(files_of("bert")), json.dumps(answer)])
            wrong = judge(outcome, ours=True) or self._lab.complaint()
            if wrong:
                self._lab.renew()
                return wrong
        return self._is_good("python-worker")

    def _is_good(self, worker: str) -> str:
        """Whether the worker does what it is there for."""
        if worker == "model-worker":
            outcome = self._lab.run("return t.ask('model-worker', 'list', null)")
        else:
            body = "return t.rerankWith(arg.map(t.fileOf), 'fp32', 'q', ['a', 'b c', 'd'])"
            outcome = self._lab.run(body, listed(files_of("bert")))
        return (
            "" if outcome.get("value") else f"the worker is of no use: {judge(outcome) or outcome}"
        )


def _finite(value: Any) -> Any:
    """JSON as JavaScript reads it."""
    if isinstance(value, list):
        return [_finite(one) for one in value]
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return None if isinstance(value, float) and value - value != 0 else value
