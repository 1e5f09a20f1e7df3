"""Anything at all, anywhere in the API: a right answer, or a typed refusal that says what is wrong.

The values and the places are in hostile_values.js.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.support import Watch, check_works, recorded_requests, run

VALUES = Path(__file__).with_name("hostile_values.js")

FUNCTIONS = {"function", "class", "function that throws", "revoked function"}
#: Proxies that refuse what reading an array does not need.
READABLE_LISTS = {
    *("array of text", "array subclass", "array of another frame"),
    *("proxy, ownKeys", "proxy, getPrototypeOf", "proxy, descriptor"),
}
#: Real ones, whatever was written over their methods. All are aborted.
SIGNALS = {"signal, aborted", "signal, overwritten", "signal of another frame"}
TEXTS = {"text", "lone surrogate", "markup", "__proto__name"}
SEEN = {"text", "markup", "__proto__name"}
DOCUMENTS = {"null prototype with text", "frozen", "cyclic", "inherited text"}

#: At each place: what is taken, and words of which every refusal has one.
PLACES: dict[str, tuple[set[str], str]] = {
    "rerank()": (set(), "option|query"),
    "rerank query": (SEEN, "query"),
    "rerank documents": (READABLE_LISTS | {"array of nothing", "frozen array"}, "documents"),
    "rerank documents[1]": (TEXTS | DOCUMENTS | {"empty", "blank", "element"}, "documents[1]"),
    "rerank documents[0].text": (TEXTS | {"empty", "blank"}, "documents[0]"),
    "rerank fields": (READABLE_LISTS | {"undefined", "null"}, "fields"),
    "rerank fields[0]": (TEXTS | {"blank"}, "fields"),
    "rerank topK": ({"undefined", "null", "1", "2**53-1"}, "topK"),
    "rerank minScore": ({"undefined", "null", "0", "-0", "0.5", "1"}, "minScore"),
    "rerank maxLength": ({"undefined", "null", "2**53-1"}, "maxLength"),
    "rerank longDocuments": ({"undefined", "null"}, "longDocuments"),
    "rerank signal": (SIGNALS | {"undefined", "null"}, "signal"),
    "rerank abortSignal": (SIGNALS | {"undefined", "null"}, "abortSignal"),
    "rerank onFailure": ({"undefined", "null"}, "onFailure"),
    "rerank onProgress": (FUNCTIONS | {"undefined", "null"}, "onProgress"),
    "rerank onResult": (FUNCTIONS | {"undefined", "null"}, "onResult"),
    "rerank nonsense": ({"undefined", "null"}, "nonsense"),
    "createReranker()": (set(), "option"),
    "createReranker model": (TEXTS | {"undefined", "null", "files"}, "model"),
    "createReranker model[0]": ({"file"}, "model"),
    "createReranker device": ({"undefined", "null"}, "device"),
    "createReranker dtype": ({"undefined", "null"}, "dtype"),
    "createReranker sessions": ({"undefined", "null", "1"}, "sessions"),
    "createReranker cache": ({"undefined", "null", "true"}, "cache"),
    "createReranker onProgress": (FUNCTIONS | {"undefined", "null"}, "onProgress"),
    "createReranker signal": (SIGNALS, "signal"),
    "one-call model": (TEXTS | {"undefined", "null", "files"}, "model"),
    "one-call device": ({"undefined", "null"}, "device"),
    "one-call dtype": ({"undefined", "null"}, "dtype"),
    "one-call sessions": ({"undefined", "null", "1"}, "sessions"),
    "one-call cache": ({"undefined", "null", "true"}, "cache"),
    "latestOnly()": (set(), "reranker"),
    "latestOnly()()": (set(), "option|query"),
    "latestOnly()() signal": (SIGNALS | {"undefined", "null"}, "signal"),
    "prefetch()": (TEXTS | {"undefined"}, "model"),
    "prefetch(, )": (set(), "option"),
    "prefetch device": ({"undefined", "null"}, "device"),
    "prefetch signal": (SIGNALS, "signal"),
    "remove()": (TEXTS, "model"),
    "add()": (TEXTS, "name"),
    "add(, )": ({"files"}, "files"),
    "export()": (TEXTS, "model"),
    "import()": ({"blob", "file"}, "file"),
}

#: What is right there, and would start a model or remove them all.
EMPTY_OPTIONS = ["undefined", "object", "null prototype"]
SKIPPED = {
    "createReranker()": [*EMPTY_OPTIONS, "iterable without end"],
    "prefetch(, )": [*EMPTY_OPTIONS, "iterable without end"],
    "createReranker signal": ["undefined", "null"],
    "prefetch signal": ["undefined", "null"],
    "remove()": ["undefined"],
}

#: Places where what is taken is then refused for another reason, and its code.
LATER = {"add()": "invalid_request", "add(, )": "invalid_request", "export()": "invalid_request"}
LATER["import()"] = "model_integrity"


#: What a callback throws is reported as its owner's.
OWN_FAULTS = ("uncaught: .*(s3cr3t|Class constructor|has been revoked)",)


@pytest.fixture(scope="module")
def hostile(ready: Page) -> Page:
    ready.evaluate(VALUES.read_text(encoding="utf-8"))
    return ready


def test_every_place_is_in_the_table(hostile: Page) -> None:
    assert set(hostile.evaluate("Object.keys(t.places)")) == set(PLACES)


@pytest.mark.parametrize("place", PLACES)
def test_any_value_at(hostile: Page, watch: Watch, place: str) -> None:
    taken, word = PLACES[place]
    watch.allow(*OWN_FAULTS if place in ("rerank onProgress", "rerank onResult") else ())
    before = run(hostile, "return t.workers.length")
    answers = run(hostile, "return t.tryAll(...arg)", [place, SKIPPED.get(place, [])])
    for name, answer in answers.items():
        assert not answer["changed"], name
        assert answer["sound"], name
        error = answer.get("error")
        if name in taken:
            _check_taken(place, name, error)
        else:
            assert error is not None, f"{name} was taken"
            assert (error["typed"], error["code"]) == (True, "invalid_request"), (name, error)
            assert any(part in error["message"] for part in word.split("|")), (name, error)
            assert "s3cr3t" not in error["message"], name
    started = run(hostile, "return t.workers.length") - before
    assert started == 0 or not place.startswith(("rerank", "createReranker", "one-call"))


def _check_taken(place: str, name: str, error: dict[str, Any] | None) -> None:
    aborts = name in SIGNALS or place.startswith(("createReranker", "prefetch"))
    if aborts:
        assert error is not None and error["message"] == "mine", (name, error)
    elif place in LATER:
        assert error is not None and error["code"] == LATER[place], (name, error)
    else:
        assert error is None, (name, error)


def test_requests_made_at_random(hostile: Page, watch: Watch) -> None:
    watch.allow(*OWN_FAULTS)
    told = run(hostile, "return t.fuzz(20261123, 700)")
    assert told["wrong"] == []
    assert told["answered"] > 150 and told["refused"] > 150


#: No models; as addresses, some are nonsense and some are not for a model.
NAMES = [
    *("http://[", "https://", "//[::1", "https://%", "./\ud800", "../../../..", "/"),
    *(
        "javascript:alert(1)",
        "data:,x",
        "blob:x",
        "file:///etc/passwd",
        "%00",
        "\0",
        "a" * 1_000_000,
    ),
    *(
        "<img src=x>/y",
        "constructor",
        "__proto__",
        "owner/name/..",
        "{{7*7}}",
        "a\n/b",
        "\u202ea/b",
    ),
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:20]))
def test_a_name_that_is_no_model(ready: Page, watch: Watch, name: str) -> None:
    watch.allow("404", "ERR_", "CSP violation: connect-src", "Content Security Policy")
    with recorded_requests() as paths:
        body = """
            const { models } = await t.lib();
            return (await t.outcome(() => models.prefetch(arg))).error;"""
        error = run(ready, body, name)
    assert error["typed"] and error["code"] in ("invalid_request", "model_load"), error
    assert len(name) < 5 or name not in error["message"]
    assert all(len(path) < 2000 for path in paths)


READ_ONCE = """
    const reads = {};
    const counted = (target, prefix) => new Proxy(target, {
      get(object, name) {
        const key = `${prefix}${String(name)}`;
        reads[key] = (reads[key] ?? 0) + 1;
        const first = Reflect.get(object, name);
        return reads[key] === 1 || typeof name === 'symbol' ? first : { other: 'value' };
      },
    });
    const documents = counted([counted({ text: 'a' }, '[0].'), 'b'], 'documents.');
    const options = counted({ query: 'q', documents, fields: counted(['text'], 'fields.') }, '');
    options.topK = 2;
    const { results } = await t.reranker.rerank(options);
    const indexes = results.map((result) => result.index).sort();
    return { reads, indexes };"""


def test_everything_is_read_once(ready: Page) -> None:
    """A getter or a proxy may answer otherwise later: what was checked is what is used."""
    answer = run(ready, READ_ONCE)
    assert answer["indexes"] == [0, 1]
    names = ("query", "documents", "fields", "topK", "documents.length", "documents.0")
    for name in (*names, "documents.1", "[0].text", "fields.length", "fields.0"):
        assert answer["reads"][name] == 1, name


def test_a_document_that_changes_the_list_as_it_is_read(ready: Page) -> None:
    answer = run(
        ready,
        """
        const documents = [{ get text() { documents.push('late'); return 'a'; } }, 'b'];
        const { results } = await t.rerank('q', documents);
        const shrinking = [{ get text() { shrinking.length = 1; return 'a'; } }, 'b'];
        const { error } = await t.outcome(() => t.rerank('q', shrinking));
        return { count: results.length, error };""",
    )
    assert answer["count"] == 2, "as many as there were"
    assert answer["error"]["code"] == "invalid_request"
    assert "documents[1]" in answer["error"]["message"]


#: Names that our own code reads of objects, and values that would change what it does.
POLLUTED = {
    **{"query": "'other'", "documents": "['other']", "fields": "['title']", "topK": "1"},
    **{"minScore": "1", "maxLength": "5", "longDocuments": "'windows'", "nonsense": "1"},
    **{"abortSignal": "AbortSignal.abort()", "signal": "AbortSignal.abort()", "cache": "5"},
    **{"onFailure": "'x'", "onProgress": "5", "onResult": "5", "text": "5", "title": "'x'"},
    **{"model": "'x'", "device": "'gpu'", "dtype": "'x'", "sessions": "99", "transfer": "5"},
    **{"toJSON": "() => 'x'", "length": "7", "0": "'x'", "value": "'x'", "error": "'x'"},
    **{"result": "5", "onEvent": "5", "patienceMs": "0", "index": "5", "id": "5", "type": "'x'"},
}


@pytest.mark.parametrize("owner", ["Object", "Array"])
def test_a_polluted_prototype_changes_no_answer(ready: Page, owner: str) -> None:
    values = ", ".join(f"{name}: {value}" for name, value in POLLUTED.items())
    body = f"""
        const {{ prototype }} = {owner};
        const rank = () => t.rerank('how many', ['a', {{ text: 'b' }}, 'c']);
        const logits = ({{ results }}) => String(results.map((result) => result.logit));
        const wanted = logits(await rank());
        const wrong = [];
        for (const [name, value] of Object.entries({{ {values} }})) {{
          const length = prototype.length;
          prototype[name] = value;
          const {{ value: ranking, error }} = await t.outcome(rank);
          delete prototype[name];
          if (name === 'length' && prototype.length !== length) prototype.length = length;
          if (!ranking || logits(ranking) !== wanted) wrong.push([name, error]);
        }}
        return wrong;"""
    assert run(ready, body) == []


def test_the_reranker_still_works(ready: Page) -> None:
    check_works(ready)
