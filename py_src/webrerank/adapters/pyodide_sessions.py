"""Pyodide: ONNX Runtime Web sessions in workers, behind web/workers/session-port.js."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from typing import Any

import numpy as np
from pyodide.ffi import JsException, to_js

from webrerank.errors import InferenceError, WorkerCrashedError, error_from_js
from webrerank.interface import ModelInterface
from webrerank.pairs import PairBatch
from webrerank.scoring import FloatArray

#: Runs under way a session: one running, and one waiting so that it never idles.
_DEPTH = 2


class PyodideSessionPool:
    """Implements the SessionPool port; sessions come and go by `attach` and `detach`.

    Args:
        sessions: how many sessions there will be.
        max_rows: pairs a run may hold.
        lengths: lengths that runs are padded to, ascending.
        interface: how the model is fed.
        in_time: `replacedInTime` of session-port.js: waits for what it is given, and not for ever.
            Its clock stands still while the computer sleeps; asyncio's would not.
    """

    def __init__(
        self,
        sessions: int,
        max_rows: int,
        lengths: Sequence[int] = (),
        interface: ModelInterface | None = None,
        *,
        in_time: Callable[[Awaitable[object]], Awaitable[object]],
    ) -> None:
        self._interface = interface or ModelInterface()
        self.capacity = sessions * _DEPTH
        self.max_rows = max_rows
        self.lengths = lengths
        self._in_time = in_time
        self._ports: dict[int, Any] = {}
        self._load: dict[int, int] = {}
        self._slots = asyncio.Semaphore(self.capacity)
        self._attached = asyncio.Event()
        self._run_ids = count(1)

    def attach(self, index: int, port: Any) -> None:
        """A session is ready; `port` is a JavaScript SessionPort."""
        self._ports[index] = port
        self._load[index] = 0
        self._attached.set()

    def detach(self, index: int, stopped: bool = False) -> None:
        """A session is gone: it died, which the run it was at may have caused, or was stopped."""
        port = self._ports.pop(index, None)
        self._load.pop(index, None)
        if not self._ports:
            self._attached.clear()
        if port is not None:
            port.close(stopped)

    def computing_cancelled(self) -> list[int]:
        """The sessions that compute what was cancelled."""
        return [index for index, port in self._ports.items() if port.computingCancelled]

    async def run(self, batch: PairBatch) -> FloatArray:
        async with self._slots:
            crashed = False
            while True:
                index = await self._least_busy()
                try:
                    logits = await self._run(index, batch)
                except WorkerCrashedError as error:
                    if index in self._ports:
                        raise  # a session that is silent, not replaced, could hang again
                    if crashed:
                        raise InferenceError(
                            "Two inference sessions ended while they ran this document. Leave it "
                            "out, or give a smaller {option}.",
                            option="max_length",
                        ) from error
                    crashed = True
                else:
                    if logits is not None:  # the session ended, not because of this run
                        return logits

    async def _least_busy(self) -> int:
        while not self._ports:
            try:
                await self._in_time(self._attached.wait())
            except JsException as error:
                raise error_from_js(error, WorkerCrashedError) from error
        return min(self._ports, key=lambda index: self._load[index])

    async def _run(self, index: int, batch: PairBatch) -> FloatArray | None:
        port = self._ports[index]
        run_id = next(self._run_ids)
        feeds = self._interface.feeds(batch)
        rows, length = feeds["input_ids"].shape
        self._load[index] += 1
        try:
            logits = await port.run(
                run_id,
                to_js({name: values.ravel() for name, values in feeds.items()}),
                self._interface.output,
                rows,
                length,
            )
        except asyncio.CancelledError:
            port.drop(run_id)
            raise
        except JsException as error:
            raise error_from_js(error, InferenceError) from error
        finally:
            if self._ports.get(index) is port:
                self._load[index] -= 1
        if logits is None:
            return None
        flat = np.asarray(logits.to_py(), np.float32)
        if not len(flat) or len(flat) % rows:
            raise InferenceError(f"Got {len(flat)} numbers for {rows} pairs. Choose another model.")
        return flat.reshape(rows, -1)[: len(batch.input_ids)]
