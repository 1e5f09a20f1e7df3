"""Hosts that answer wrongly: status, headers, types, redirects, cuts, stalls."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.fuzz.bases import files_of
from tests.fuzz.case import Case, Edit
from tests.fuzz.lab import CASE_SECONDS, Lab, judge
from tests.fuzz.oracle import Oracle
from tests.hub.contents import CDN_HOST, Fault

MODEL = "test/bert"
FILES = ["tree", "config.json", "tokenizer.json", "tokenizer_config.json", "onnx/model.onnx"]

STATUS = [200, 201, 204, 206, 300, 301, 302, 304, 307, 400, 401, 403, 404, 405, 408, 410, 416]
STATUS += [418, 421, 429, 451, 500, 502, 503, 504, 511, 599]
TYPES = ["text/html", "text/html; charset=utf-8", "application/json", "", "text/plain", "é", "x"]
CONTENTS = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"<!doctype html><p>Sign in",
    b"\0" * 5000,
    b"[{}]",
    b"\xff",
]
HEADERS = [
    *(["Content-Range", value] for value in ("bytes 0-0/1", "bytes */5", "x", "bytes 7-9/*", "")),
    *(["Content-Length", value] for value in ("0", "1", "99999999", "-1", "x")),
    *(["Location", value] for value in ("/", "", "data:,x", f"https://{CDN_HOST}/x", "http://[")),
    *(["Link", value] for value in ('<x>; rel="next"', f'<https://{CDN_HOST}/>; rel="next"', "<")),
    *(["Retry-After", value] for value in ("1", "99999999", "Mon, 02 Nov 2026 08:00:00 GMT", "x")),
    *(["ETag", value] for value in ("", 'W/"x"', "x" * 3000)),
    *(["Content-Encoding", value] for value in ("gzip", "br", "identity", "nonsense")),
    *(["X-Repo-Commit", value] for value in ("", "../..", "main", "x" * 5000)),
]

#: A page that waits for a stalled host gives up by itself only after minutes, so it is aborted.
ABORT_MS = 1500

PREFETCH = """
    const stop = new AbortController();
    if (arg[1]) setTimeout(() => stop.abort(), arg[1]);
    const { models } = await t.lib();
    try {
      return await models.prefetch(arg[0], { dtype: 'fp32', signal: stop.signal });
    } catch (error) {
      if (stop.signal.aborted && error === stop.signal.reason) return 'aborted';
      throw error;
    }"""


class Hosts:
    """A download ends well, or is refused; afterwards a good host is enough."""

    def __init__(self, lab: Lab, _oracle: Oracle) -> None:
        self._lab = lab
        lab.publish(MODEL, files_of("bert"))
        self._right = ""

    def make(self, rng: Random) -> Case:
        edits: list[Edit] = []
        for _ in range(rng.choice([1, 1, 2, 3])):
            times = rng.choice([1, 1, 2, 6])
            edits.append([rng.choice(FILES), times, rng.random() < 0.1, _fault(rng)])
        return Case("hosts", rng.choice(["hub", "hub", "folder"]), edits)

    def run(self, case: Case) -> str:
        lab, hub = self._lab, self._lab.hub
        model = MODEL if case.base == "hub" else f"https://{CDN_HOST}/plain/{MODEL}/"
        self._right = self._right or self._digest(MODEL)
        lab.renew()
        hub.reset()
        hub.plain = case.base != "hub"
        for file, times, forever, values in case.edits:
            hub.fault(f"{MODEL}/{file}", *[_fault_of(values)] * times, forever=forever)
        stalls = any(map(_may_stall, case.edits))
        lab.seconds = 90
        outcome = lab.run(PREFETCH, [model, ABORT_MS if stalls else 0])
        wrong = judge(outcome) or lab.complaint() or self._left_behind()
        hub.reset()
        if any(map(_is_undetectable, case.edits)):
            lab.renew()
        hub.plain = case.base != "hub"
        wrong = wrong or self._is_good_again(model)
        lab.seconds = CASE_SECONDS
        return wrong

    def _is_good_again(self, model: str) -> str:
        outcome = self._lab.run(PREFETCH, [model, 0])
        if not (outcome.get("value") or {}).get("saved"):
            return f"a good host is of no use afterwards: {judge(outcome) or outcome}"
        digest = self._digest(model)
        return "" if digest == self._right else "afterwards the model's bytes are others"

    def _digest(self, model: str) -> str:
        outcome = self._lab.run("t.endWorkers(); return t.digest(arg, 'fp32')", model)
        self._lab.run("t.endWorkers()")
        return str(outcome.get("value") or outcome)

    def _left_behind(self) -> str:
        for _ in range(50):
            if not self._lab.page.workers:
                return ""
            self._lab.page.wait_for_timeout(100)
        return f"a worker is left behind: {self._lab.page.workers[0].url}"


def _may_stall(edit: Edit) -> bool:
    """Whether the browser may wait for more that never comes."""
    values = edit[-1]
    return "hold_at" in values or any(
        name == "Content-Length" for name, _ in values.get("headers", [])
    )


def _is_undetectable(edit: Edit) -> bool:
    """Whether other bytes came as if they were right, and no hash tells: they may be kept."""
    values = edit[-1]
    return "content" in values or values.get("status") in (200, 201)


def _fault(rng: Random) -> dict[str, Any]:
    """One way to go wrong, often with a second."""
    place = rng.choice([0, 1, 100, 5000, 50_000])
    choices: list[dict[str, Any]] = [
        {"status": rng.choice(STATUS)},
        {"cut_at": place},
        {"hold_at": place},
        {"content": rng.choice(CONTENTS).hex()},
        {"content_type": rng.choice(TYPES)},
        {"no_length": True},
        {"etag": rng.choice(['"other"', "", "W/"])},
        {"ignore_range": True},
        {"bytes_per_second": 400_000},
        {"headers": [rng.choice(HEADERS)]},
        {"headers": [rng.choice(HEADERS)], "status": rng.choice(STATUS)},
    ]
    first, second = rng.sample(choices, 2)
    return {**second, **first} if rng.random() < 0.3 else first


def _fault_of(values: dict[str, Any]) -> Fault:
    given = dict(values)
    if "content" in given:
        given["content"] = bytes.fromhex(given["content"])
    if "headers" in given:
        given["headers"] = tuple((name, value) for name, value in given["headers"])
    return Fault(**given)
