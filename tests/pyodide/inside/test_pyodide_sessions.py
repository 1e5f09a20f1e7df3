"""The Pyodide session pool where its port cannot show it: sessions that die, errors from
JavaScript, and how busy each session is. Runs inside Pyodide only."""

import asyncio
from collections.abc import Awaitable, Iterator
from typing import Any

import js
import numpy as np
import pytest
from pyodide.ffi import to_js

from tests.fakes import BERT
from webrerank.adapters.pyodide_sessions import PyodideSessionPool
from webrerank.errors import InferenceError, OutOfMemoryError, WorkerCrashedError
from webrerank.interface import ModelInterface
from webrerank.pairs import PairBatch, pad_batch


def batch_of(first: int = 2000, length: int = 4) -> PairBatch:
    pair = BERT.encode(np.asarray([first], np.int32), np.asarray([3000] * length, np.int32), 512)
    return pad_batch([pair], 0)


class FakePort:
    """A session's port in Python: answers a row with its second token, once let go."""

    def __init__(self, *, hold: bool = False, logits: list[float] | None = None) -> None:
        self.runs: list[int] = []
        self.dropped: list[int] = []
        self.closed = False
        self._logits = logits
        self._gate = asyncio.Event()
        if not hold:
            self._gate.set()

    async def run(self, run_id: int, feeds: Any, *_rest: Any) -> Any:
        self.runs.append(run_id)
        token = float(feeds.input_ids.to_py()[1])
        await self._gate.wait()
        return to_js(np.asarray(self._logits or [token], np.float32))

    def drop(self, run_id: int) -> None:
        self.dropped.append(run_id)

    def close(self, stopped: bool) -> None:
        self.closed = True

    def release(self) -> None:
        self._gate.set()


class RejectingPort(FakePort):
    """A session's port whose runs all reject with a JavaScript error."""

    def __init__(self, code: str | None, message: str) -> None:
        super().__init__()
        self.error = js.Error.new(message)
        if code:
            self.error.code = code

    def run(self, run_id: int, *_rest: Any) -> Any:
        self.runs.append(run_id)
        return js.Promise.reject(self.error)


def pool_of(*ports: Any) -> PyodideSessionPool:
    pool = PyodideSessionPool(len(ports), 1, in_time=js.harness.inTime)
    for index, port in enumerate(ports):
        pool.attach(index, port)
    return pool


def test_a_run_whose_session_dies_goes_to_another() -> None:
    async def scenario() -> None:
        sessions = [await js.harness.openSession() for _ in range(2)]
        pool = pool_of(*sessions)
        wanted = await pool.run(batch_of())
        tasks = [asyncio.ensure_future(pool.run(batch_of(length=200))) for _ in range(4)]
        await asyncio.sleep(0)
        pool.detach(0)
        answers = await asyncio.gather(*tasks)
        assert len({answer.tobytes() for answer in answers}) == 1
        assert (await pool.run(batch_of())).tobytes() == wanted.tobytes()

    asyncio.run(scenario())


def test_a_run_whose_only_session_dies_waits_for_the_next() -> None:
    async def scenario() -> None:
        pool = pool_of(await js.harness.openSession())
        wanted = await pool.run(batch_of())
        tasks = [asyncio.ensure_future(pool.run(batch_of())) for _ in range(3)]
        await asyncio.sleep(0)
        pool.detach(0)
        pool.attach(0, await js.harness.openSession())
        for answer in await asyncio.gather(*tasks):
            assert answer.tobytes() == wanted.tobytes()

    asyncio.run(scenario())


class EndingPort(FakePort):
    """A session that ends in mid-run, of itself or stopped, as SessionPort tells it."""

    following: Iterator[FakePort]

    def __init__(self, pool: PyodideSessionPool, *, stopped: bool) -> None:
        super().__init__()
        self._pool = pool
        self._stopped = stopped

    async def run(self, run_id: int, *_rest: Any) -> Any:
        self.runs.append(run_id)
        index = next(index for index, port in self._pool._ports.items() if port is self)
        self._pool.detach(index, self._stopped)
        self._pool.attach(index + 1, next(self.following))
        if self._stopped:
            return None
        error = js.Error.new("An inference session ended. Call again.")
        error.code = "worker_crashed"
        return await js.Promise.reject(error)


def run_on(*endings: bool) -> Any:
    """The answer to a run on sessions that end in it, stopped or not, before one that lives."""
    pool = PyodideSessionPool(1, 1, in_time=js.harness.inTime)
    ports = [*(EndingPort(pool, stopped=stopped) for stopped in endings), FakePort()]
    EndingPort.following = iter(ports[1:])
    pool.attach(0, ports[0])
    return asyncio.run(pool.run(batch_of())).tolist()


def test_a_run_is_tried_again_after_one_crash_but_not_after_two() -> None:
    assert run_on(False) == [[2000.0]]
    with pytest.raises(InferenceError, match="Two inference sessions ended") as caught:
        run_on(False, False)
    assert isinstance(caught.value.__cause__, WorkerCrashedError)


def test_runs_are_fed_what_the_graph_wants() -> None:
    class Port(FakePort):
        given: Any = None

        async def run(self, _run_id: int, *given: Any) -> Any:
            self.given = [each.to_py() if hasattr(each, "to_py") else each for each in given]
            return to_js(np.asarray([5, 6, 6], np.float32))

    port = Port()
    interface = ModelInterface({"input_ids": np.int32}, "out", 3)
    pool = PyodideSessionPool(1, 1, interface=interface, in_time=js.harness.inTime)
    pool.attach(0, port)
    batch = batch_of()
    logits = asyncio.run(pool.run(batch))
    feeds, output, rows, length = port.given
    assert list(feeds) == ["input_ids"]
    assert feeds["input_ids"].format == "i"
    assert feeds["input_ids"].tolist() == batch.input_ids[0].tolist() * 3
    assert (output, rows, length) == ("out", 3, batch.input_ids.shape[1])
    assert logits.tolist() == [[5]], "the pair's own, without the copies'"


def test_a_session_that_was_stopped_is_no_crash() -> None:
    assert run_on(True, True, False, True, True) == [[2000.0]]


def test_without_any_session_a_run_waits_as_long_as_it_may_and_gives_up() -> None:
    async def in_time(attached: Awaitable[object]) -> None:
        wait = asyncio.ensure_future(attached)
        await asyncio.sleep(0.02)
        assert not wait.done()
        wait.cancel()
        await RejectingPort("worker_crashed", "none is left. Call again.").run(0)

    with pytest.raises(WorkerCrashedError, match="Call again"):
        asyncio.run(PyodideSessionPool(2, 1, in_time=in_time).run(batch_of()))


def test_a_replaced_session_ends_the_real_wait() -> None:
    async def scenario() -> None:
        pool = PyodideSessionPool(1, 1, in_time=js.harness.inTime)
        run = asyncio.ensure_future(pool.run(batch_of()))
        await asyncio.sleep(0.02)
        pool.attach(0, FakePort())
        assert (await asyncio.wait_for(run, 5)).tolist() == [[2000.0]]

    asyncio.run(scenario())


def test_a_silent_session_that_is_not_replaced_fails_the_run_at_once() -> None:
    port = RejectingPort("worker_crashed", "An inference session has not answered.")
    with pytest.raises(WorkerCrashedError, match="has not answered"):
        asyncio.run(pool_of(port).run(batch_of()))
    assert len(port.runs) == 1


def test_errors_of_javascript_keep_their_code() -> None:
    port = RejectingPort("out_of_memory", "too little memory: use fewer sessions")
    with pytest.raises(OutOfMemoryError, match="use fewer sessions"):
        asyncio.run(pool_of(port).run(batch_of()))


def test_foreign_errors_become_inference_errors_without_their_text() -> None:
    with pytest.raises(InferenceError) as caught:
        asyncio.run(pool_of(RejectingPort(None, "SECRET")).run(batch_of()))
    assert type(caught.value) is InferenceError
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("count", [0, 3])
def test_a_wrong_number_of_logits_is_no_answer(count: int) -> None:
    two_rows = pad_batch([BERT.encode(np.asarray([1]), np.asarray([2]), 512) for _ in range(2)], 0)

    class Port(FakePort):
        async def run(self, *_rest: Any) -> Any:
            return to_js(np.zeros(count, np.float32))

    with pytest.raises(InferenceError, match=f"{count} numbers for 2 pairs"):
        asyncio.run(pool_of(Port()).run(two_rows))


def test_rows_of_two_logits_are_told_apart() -> None:
    logits = asyncio.run(pool_of(FakePort(logits=[1.0, 2.0])).run(batch_of()))
    assert logits.tolist() == [[1.0, 2.0]]


def test_runs_go_to_the_least_busy_session_and_never_more_than_the_capacity() -> None:
    async def scenario() -> None:
        ports = [FakePort(hold=True), FakePort(hold=True)]
        pool = pool_of(*ports)
        assert pool.capacity == 4
        tasks = [asyncio.ensure_future(pool.run(batch_of(2000 + n))) for n in range(10)]
        await asyncio.sleep(0.02)
        assert [len(port.runs) for port in ports] == [2, 2]
        ports[1].release()
        await asyncio.sleep(0.05)
        assert [len(port.runs) for port in ports] == [2, 8]
        ports[0].release()
        answers = await asyncio.gather(*tasks)
        assert [answer[0, 0] for answer in answers] == [2000 + n for n in range(10)]
        ids = ports[0].runs + ports[1].runs
        assert len(set(ids)) == 10

    asyncio.run(scenario())


def test_a_cancelled_run_is_dropped_and_its_place_is_free() -> None:
    async def scenario() -> None:
        port = FakePort(hold=True)
        pool = pool_of(port)
        for _ in range(3):
            tasks = [asyncio.ensure_future(pool.run(batch_of())) for _ in range(3)]
            await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert port.dropped == port.runs
        assert len(port.runs) == 6
        port.release()
        assert len(await asyncio.wait_for(pool.run(batch_of()), 5)) == 1

    asyncio.run(scenario())


def test_detaching_closes_the_port_and_may_happen_twice() -> None:
    port = FakePort()
    pool = pool_of(port)
    pool.detach(0)
    pool.detach(0)
    assert port.closed
