"""Wrong input: typed, naming the field and the place, silent on the user's text, and harmless."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.support import check_works, run

CASES = Path(__file__).parents[1] / "cases" / "requests.json"

#: Stands for the user's text wherever a case has some; must never come back in a message.
SECRET = "s3cr3t"

#: What JSON cannot say: an expression for the options, and words that the message must have.
EXPRESSIONS = [
    ("undefined", ["options"]),
    ("null", ["options", "null"]),
    ("[]", ["options", "array"]),
    ("'s3cr3t'", ["options", "string"]),
    ("{ documents: ['s3cr3t'] }", ["query", "undefined"]),
    ("{ ...ok, query: undefined }", ["query", "undefined"]),
    ("{ ...ok, query: null }", ["query", "null"]),
    ("{ ...ok, query: 5n }", ["query", "bigint"]),
    ("{ ...ok, query: Symbol('s3cr3t') }", ["query", "symbol"]),
    ("{ ...ok, query: new String('s3cr3t') }", ["query", "object"]),
    ("{ ...ok, query: '\\u00a0\\u2003\\ufeff' }", ["query", "blank"]),
    ("{ ...ok, query: '\\0\\u200b' }", ["query"]),
    ("{ ...ok, documents: undefined }", ["documents", "undefined"]),
    ("{ ...ok, documents: 's3cr3t' }", ["documents", "string"]),
    ("{ ...ok, documents: new Set(['s3cr3t']) }", ["documents", "object"]),
    ("{ ...ok, documents: { length: 1, 0: 's3cr3t' } }", ["documents", "object"]),
    ("{ ...ok, documents: new Uint8Array(2) }", ["documents", "object"]),
    ("{ ...ok, documents: ['a', undefined] }", ["documents[1]", "undefined"]),
    ("{ ...ok, documents: ['a', , 'b'] }", ["documents[1]", "undefined"]),
    ("{ ...ok, documents: new Array(3) }", ["documents[0]", "undefined"]),
    ("{ ...ok, documents: ['a', NaN] }", ["documents[1]", "number"]),
    ("{ ...ok, documents: ['a', 10n] }", ["documents[1]", "bigint"]),
    ("{ ...ok, documents: ['a', Symbol('s3cr3t')] }", ["documents[1]", "symbol"]),
    ("{ ...ok, documents: ['a', () => 's3cr3t'] }", ["documents[1]", "function"]),
    ("{ ...ok, documents: ['a', ['s3cr3t']] }", ["documents[1]", "array"]),
    ("{ ...ok, documents: ['a', new Date()] }", ["documents[1]", "text"]),
    ("{ ...ok, documents: ['a', Object.create(null)] }", ["documents[1]", "text"]),
    ("{ ...ok, documents: [{ text: 3n }] }", ["documents[0].text", "bigint"]),
    ("{ ...ok, documents: [{ text: { s3cr3t: 1 } }] }", ["documents[0].text", "object"]),
    ("{ ...ok, documents: [{ text: undefined }] }", ["documents[0]", "text"]),
    ("{ ...ok, documents: [{ get text() { throw Error('s3cr3t'); } }] }", ["documents[0].text"]),
    (
        "{ ...ok, documents: [new Proxy({}, { get() { throw Error('s3cr3t'); } })] }",
        ["documents[0].text"],
    ),
    ("{ ...ok, documents: [revoked()] }", ["documents[0]"]),
    ("{ ...ok, documents: revoked() }", ["documents"]),
    ("{ ...ok, documents: new Proxy(['a'], { get() { throw Error('s3cr3t'); } }) }", ["documents"]),
    ("{ ...ok, documents: Object.defineProperty(['a'], 0, { get: boom }) }", ["documents"]),
    ("{ ...ok, get query() { return boom(); } }", []),
    ("{ ...ok, get documents() { return boom(); } }", []),
    ("new Proxy({}, { ownKeys: boom })", []),
    ("revoked()", []),
    ("{ ...ok, fields: [] }", ["fields"]),
    ("{ ...ok, fields: 'text' }", ["fields"]),
    ("{ ...ok, fields: ['text', ''] }", ["fields"]),
    ("{ ...ok, fields: ['text', Symbol('s3cr3t')] }", ["fields"]),
    ("{ ...ok, fields: ['text', , 'body'] }", ["fields"]),
    ("{ ...ok, topK: NaN }", ["topK"]),
    ("{ ...ok, topK: Infinity }", ["topK"]),
    ("{ ...ok, topK: 1.5 }", ["topK"]),
    ("{ ...ok, topK: 0 }", ["topK"]),
    ("{ ...ok, topK: -1 }", ["topK"]),
    ("{ ...ok, topK: 1n }", ["topK"]),
    ("{ ...ok, topK: '1' }", ["topK"]),
    ("{ ...ok, topK: Symbol('s3cr3t') }", ["topK"]),
    ("{ ...ok, topK: { valueOf: () => 1 } }", ["topK"]),
    ("{ ...ok, minScore: NaN }", ["minScore"]),
    ("{ ...ok, minScore: -0.1 }", ["minScore"]),
    ("{ ...ok, minScore: 1.1 }", ["minScore"]),
    ("{ ...ok, minScore: '0.5' }", ["minScore"]),
    ("{ ...ok, minScore: 1n }", ["minScore"]),
    ("{ ...ok, maxLength: 0 }", ["maxLength"]),
    ("{ ...ok, maxLength: 3 }", ["maxLength"]),
    ("{ ...ok, maxLength: Infinity }", ["maxLength"]),
    ("{ ...ok, longDocuments: 's3cr3t' }", ["longDocuments"]),
    ("{ ...ok, signal: {} }", ["signal"]),
    ("{ ...ok, signal: new AbortController() }", ["signal"]),
    ("{ ...ok, abortSignal: 0 }", ["abortSignal"]),
    ("{ ...ok, signal: live(), abortSignal: live() }", ["signal", "abortSignal"]),
    ("{ ...ok, onProgress: 's3cr3t' }", ["onProgress"]),
    ("{ ...ok, onResult: {} }", ["onResult"]),
    ("{ ...ok, top_k: 2 }", ["top_k"]),
    ("{ ...ok, device: 'wasm' }", ["device"]),
    ("new Map(Object.entries(ok))", ["options"]),
    ("Promise.resolve(ok)", ["options"]),
    ("new (class { query = 's3cr3t'; documents = []; get top_k() { return 1; } })()", ["top_k"]),
    ("new (class { query = 's3cr3t'; documents = []; get topK() { return 0; } })()", ["topK"]),
    ("Object.assign(Object.create({ top_k: 1 }), ok)", ["top_k"]),
    ("Object.assign(Object.create({ get topK() { return boom(); } }), ok)", ["options"]),
    ("endless(ok)", ["options"]),
]

CREATE_EXPRESSIONS = [
    ("null", ["options"]),
    ("'s3cr3t'", ["options"]),
    ("{ model: 5 }", ["model"]),
    ("{ model: ' ' }", ["model"]),
    ("{ device: 'gpu' }", ["device"]),
    ("{ device: Symbol('s3cr3t') }", ["device"]),
    ("{ dtype: 'int8' }", ["dtype"]),
    ("{ sessions: 0 }", ["sessions"]),
    ("{ sessions: 17 }", ["sessions"]),
    ("{ sessions: 1.5 }", ["sessions"]),
    ("{ sessions: 2n }", ["sessions"]),
    ("{ onProgress: true }", ["onProgress"]),
    ("{ signal: {} }", ["signal"]),
    ("{ topK: 3 }", ["topK"]),
    ("new (class { get device() { return 'gpu'; } })()", ["device"]),
    ("Object.create({ text: 's3cr3t' })", ["text"]),
    ("{ get model() { return boom(); } }", []),
]

PREAMBLE = """
    const boom = () => { throw new Error('s3cr3t'); };
    const live = () => new AbortController().signal;
    const revoked = () => {
      const { proxy, revoke } = Proxy.revocable([], {});
      revoke();
      return proxy;
    };
    /** A proxy whose chain of prototypes never ends. */
    const endless = (target) =>
      new Proxy({ ...target }, { getPrototypeOf: () => endless(target) });
    const ok = { query: 's3cr3t', documents: ['s3cr3t'] };
"""


def check(error: dict[str, Any] | None, words: list[str]) -> None:
    """Typed, names what is wrong, and says nothing of the user's."""
    assert error is not None, "it was accepted"
    assert (error["typed"], error["code"]) == (True, "invalid_request"), error
    assert error["retryable"] is False
    assert SECRET not in error["message"], "the user's text is in the message"
    for word in words:
        assert word in error["message"], error["message"]


@pytest.mark.parametrize(("expression", "words"), EXPRESSIONS)
def test_rerank_refuses(ready: Page, expression: str, words: list[str]) -> None:
    body = f"{PREAMBLE} return t.outcome(() => t.reranker.rerank({expression}))"
    check(run(ready, body).get("error"), words)


@pytest.mark.parametrize(("expression", "words"), CREATE_EXPRESSIONS)
def test_create_reranker_refuses(ready: Page, expression: str, words: list[str]) -> None:
    body = f"""{PREAMBLE}
        const {{ createReranker }} = await t.lib();
        return t.outcome(() => createReranker({expression}));"""
    before = run(ready, "return t.workers.length")
    check(run(ready, body).get("error"), words)
    assert run(ready, "return t.workers.length") == before, "refused before anything starts"


def test_one_call_refuses_before_anything_starts(ready: Page) -> None:
    body = f"""{PREAMBLE}
        const {{ rerank }} = await t.lib();
        const before = t.workers.length;
        const wrong = [{{ query: ' ' }}, {{ device: 'x' }}, {{ nope: 1 }}];
        const ended = [];
        for (const options of wrong)
          ended.push(await t.outcome(() => rerank({{ ...ok, ...options }})));
        return {{ ended, started: t.workers.length - before }};"""
    answer = run(ready, body)
    words = ["query", "device", "nope"]
    for outcome, word in zip(answer["ended"], words, strict=True):
        check(outcome.get("error"), [word])
    assert answer["started"] == 0


def test_the_table_shared_with_python(ready: Page) -> None:
    cases = [case for case in json.loads(CASES.read_text(encoding="utf-8")) if case["js"]]
    body = """
        const ended = [];
        for (const options of arg) ended.push(await t.outcome(() => t.reranker.rerank(options)));
        return ended;"""
    outcomes = run(ready, body, [case["js"] for case in cases])
    for case, outcome in zip(cases, outcomes, strict=True):
        if case["error"]:
            check(outcome.get("error"), [case["error"]])
        elif case["js"].get("maxLength") != 1:  # which no model can do: that comes out later
            assert len(outcome["value"]["results"]) <= len(case["texts"]), case["name"]


#: Ways to give options that are no plain object; each asks for one of three documents.
INSTANCES = [
    "new (class { #k = 1; get query() { return q; } get documents() { return list; } "
    "get topK() { return this.#k; } })()",
    "new (class extends class { get topK() { return 1; } } { query = q; documents = list; })()",
    "Object.create({ query: q, documents: list, topK: 1 })",
    "Object.create(Object.create({ topK: 1 }), { query: { value: q }, "
    "documents: { value: list } })",
    "Object.assign(Object.create(null), { query: q, documents: list, topK: 1 })",
    "new Proxy({ query: q, documents: list, topK: 1 }, {})",
    "new (class { query = q; documents = list; topK = 1; toString() { return q; } "
    "get minScore() { return null; } set fields(_) {} static topK = 5; })()",
]


@pytest.mark.parametrize("instance", INSTANCES)
def test_options_that_a_class_or_a_prototype_holds(ready: Page, instance: str) -> None:
    body = f"""
        const q = 'how many';
        const list = ['a', 'b', 'c'];
        const {{ results }} = await t.reranker.rerank({instance});
        return results.length;"""
    assert run(ready, body) == 1


def test_a_method_of_a_class_is_a_callback(ready: Page) -> None:
    body = """
        class Search {
          query = 'how many';
          documents = ['a', 'b'];
          seen = undefined;
          onResult(result) { told.push(result.index); }
          render() { throw new Error('no option, so not called'); }
        }
        const told = [];
        await t.reranker.rerank(new Search());
        return told.length;"""
    assert run(ready, body) == 2


def test_what_an_instance_gives_to_create_reranker(ready: Page) -> None:
    """Seen by what comes of it: an aborted signal, which a lost option would not bring."""
    body = """
        const { createReranker } = await t.lib();
        const signal = AbortSignal.abort(new DOMException('mine', 'AbortError'));
        class Defaults { get signal() { return signal; } }
        const given = [new Defaults(), Object.create({ signal }), Object.create(new Defaults())];
        const ended = [];
        for (const options of given) ended.push(await t.outcome(() => createReranker(options)));
        return ended.map(({ error }) => error?.message);"""
    assert run(ready, body) == ["mine"] * 3


def test_the_reranker_still_works(ready: Page) -> None:
    check_works(ready)
