"""The border of the Python worker: what JavaScript sends in, and what it gets back. Runs inside
Pyodide only, on the bundled model."""

import asyncio
import json
import math
from typing import Any

import js
import pytest
from pyodide.ffi import create_proxy

from webrerank.errors import OutOfMemoryError
from webrerank.pairs import PairBatch
from webrerank.worker_api import WorkerApi

QUERY = "How many people live in Berlin?"
DOCUMENTS = [
    "New York City is famous for the Metropolitan Museum of Art.",
    "",
    "Berlin has a population of 3,520,031 registered inhabitants.",
]


def js_value(value: Any) -> Any:
    """A JavaScript value of its own, lone surrogates as JavaScript has them."""
    return js.JSON.parse(json.dumps(value))


RUNTIME = {"model": "m", "device": "wasm", "dtype": "q8", "sessions": 1, "cache": True}
RUNTIME["runBytes"] = 2**31


async def load(api: WorkerApi, config: str, tokenizer: str, more: str) -> Any:
    """Load a model with these texts and the bundled one's graph."""
    graph = await js.harness.modelGraph()
    load_tokenizer = js.harness.loadTokenizer
    task = api.load(config, tokenizer, more, graph, load_tokenizer, js_value(RUNTIME))
    return (await task).to_py()


async def make_api() -> WorkerApi:
    api = WorkerApi(js.harness.inTime)
    names = ("config.json", "tokenizer.json", "tokenizer_config.json")
    answer = await load(api, *[await js.harness.modelText(name) for name in names])
    assert "error" not in answer, answer
    api.attach(0, await js.harness.openSession())
    return api


@pytest.fixture(scope="module")
def api() -> WorkerApi:
    return asyncio.run(make_api())


def payload_of(**given: Any) -> Any:
    """A payload as lib/protocol.js has it: what is not set is undefined."""
    value = js_value({"query": QUERY, "texts": DOCUMENTS, "wantResults": True, **given})
    for name in {"topK", "minScore", "maxLength"} - set(given):
        setattr(value, name, None)  # Pyodide makes undefined of it
    return value


def rerank(api: WorkerApi, emit: Any = None, **given: Any) -> Any:
    proxy = create_proxy(emit or (lambda _event: None))

    async def call() -> Any:
        return (await api.rerank(payload_of(**given), proxy)).to_py()

    return asyncio.run(call())


def test_columns_are_best_first(api: WorkerApi) -> None:
    value = rerank(api)["value"]
    assert list(value["index"]) == [2, 0, 1]
    assert value["score"][0] > 0.99
    assert value["score"][1] < 0.01
    assert value["logit"][0] > 0 > value["logit"][1]
    assert math.isnan(value["logit"][2])
    assert value["score"][2] == 0
    assert list(value["truncated"]) == [0, 0, 0]
    usage = value["usage"]
    assert (usage["documents"], usage["queryTruncated"]) == (3, False)
    assert usage["pairs"] + usage["cached"] == 2


def test_a_second_call_is_answered_from_the_cache(api: WorkerApi) -> None:
    first, again = rerank(api)["value"], rerank(api)["value"]
    assert list(again["logit"])[:2] == list(first["logit"])[:2]
    assert (again["usage"]["pairs"], again["usage"]["cached"]) == (0, 2)


def test_options_arrive(api: WorkerApi) -> None:
    value = rerank(api, topK=1)["value"]
    assert list(value["index"]) == [2]
    value = rerank(api, minScore=0.5)["value"]
    assert list(value["index"]) == [2]
    value = rerank(api, texts=["x " * 100], maxLength=20)["value"]
    assert (value["usage"]["tokens"], list(value["truncated"])) == (20, [1])


def test_events_tell_each_result(api: WorkerApi) -> None:
    events: list[Any] = []
    value = rerank(api, lambda event: events.append(event.to_py()))["value"]
    assert [(event["done"], event["total"]) for event in events] == [(1, 2), (2, 2)]
    logits = dict(zip(list(value["index"]), list(value["logit"]), strict=True))
    for event in events:
        assert event["result"]["logit"] == logits[event["result"]["index"]]


def test_what_cannot_be_scored_has_an_error_and_costs_no_other(
    api: WorkerApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = api._pool
    assert pool is not None
    run = pool.run

    async def fail_on_long(batch: PairBatch) -> Any:
        if batch.input_ids.shape[1] > 40:
            raise OutOfMemoryError("Give a smaller {option}.", option="max_length")
        return await run(batch)

    monkeypatch.setattr(pool, "run", fail_on_long)
    events: list[Any] = []
    texts = ["x " * 100, "Berlin is large.", ""]
    value = rerank(api, lambda event: events.append(event.to_py()), texts=texts)["value"]
    assert list(value["index"]) == [1, 0, 2]
    assert [math.isnan(logit) for logit in value["logit"]] == [False, True, True]
    (entry,) = value["errors"]
    error = entry["error"]
    assert (entry["row"], error["code"], error["retryable"]) == (1, "out_of_memory", True)
    assert error["message"] == "Give a smaller maxLength."
    told = {event["result"]["index"]: event["result"]["error"] for event in events}
    assert told == {0: error, 1: None}
    assert (value["usage"]["failed"], value["usage"]["pairs"]) == (1, 1)


def test_a_model_whose_graph_says_what_it_gives_is_not_tried(
    api: WorkerApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert api._pool is not None
    monkeypatch.setattr(api._pool, "run", None)

    async def check() -> Any:
        return (await api.check_answer()).to_py()

    assert "error" not in asyncio.run(check())


def test_events_hold_no_result_unless_wanted(api: WorkerApi) -> None:
    events: list[Any] = []
    rerank(api, lambda event: events.append(event.to_py()), wantResults=False)
    assert [event["result"] for event in events] == [None, None]


def test_lone_surrogates_are_repaired(api: WorkerApi) -> None:
    value = rerank(api, query="\ud800 " + QUERY, texts=[DOCUMENTS[2] + " \udc00", "\ud83d\ude00"])
    plain = rerank(api, query="\ufffd " + QUERY, texts=[DOCUMENTS[2] + " \ufffd", "\U0001f600"])
    assert list(value["value"]["logit"]) == list(plain["value"]["logit"])


def test_a_bad_request_is_an_answer(api: WorkerApi) -> None:
    error = rerank(api, query="\u200b")["error"]
    assert (error["code"], error["cause"]) == ("invalid_request", None)
    error = rerank(api, maxLength=4)["error"]
    assert "maxLength" in error["message"]  # the option's name in JavaScript


def test_a_bug_is_internal_and_says_nothing_of_the_text(api: WorkerApi) -> None:
    def emit(_event: Any) -> None:
        raise KeyError("SECRET")

    error = rerank(api, emit)["error"]
    assert (error["code"], error["cause"]) == ("internal", "KeyError")
    assert "SECRET" not in error["message"]


def test_a_cancelled_task_raises_cancelled_and_the_next_call_works(api: WorkerApi) -> None:
    async def scenario() -> None:
        payload = payload_of(texts=[f"{n} x y " * 150 for n in range(20)])
        task = api.rerank(payload, create_proxy(lambda _event: None))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert list(rerank(api)["value"]["index"]) == [2, 0, 1]


def test_a_classifier_is_refused() -> None:
    async def scenario() -> Any:
        tokenizer = await js.harness.modelText("tokenizer.json")
        return await load(WorkerApi(js.harness.inTime), '{"num_labels": 3}', tokenizer, "{}")

    error = asyncio.run(scenario())["error"]
    assert error["code"] == "unsupported_model"
    assert "3 labels" in error["message"]


def test_a_tokenizer_json_nobody_can_read_is_refused() -> None:
    error = asyncio.run(load(WorkerApi(js.harness.inTime), "{}", "{}", "{}"))["error"]
    assert error["code"] == "unsupported_model"
