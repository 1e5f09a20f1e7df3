"""Native libraries in a process of their own: a damaged model may crash or stop them, not the
fuzzer."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

Work = Callable[..., Any]


class Oracle:
    """Answers as the same code does without a browser; None where it dies or takes too long."""

    def __init__(self, seconds: float = 20) -> None:
        self._seconds = seconds
        self._context = multiprocessing.get_context("spawn")
        self._process: Any = None
        self._pipe: Any = None

    def ask(self, work: Work, *arguments: Any) -> Any:
        """Call a function of a module; gives ("value", ...), ("error", type, text) or None."""
        if self._process is None or not self._process.is_alive():
            self._start()
        try:
            self._pipe.send((work, arguments))
            if self._pipe.poll(self._seconds):
                return self._pipe.recv()
        except (EOFError, OSError):
            pass
        self.close()
        return None

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def _start(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()


def _serve(pipe: Connection) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # ONNX Runtime tells there of every model that it refuses
        os.dup2(nothing, stream)
    while True:
        try:
            work, arguments = pipe.recv()
        except (EOFError, OSError, KeyboardInterrupt):
            return
        try:
            answer: Any = ("value", work(*arguments))
        except BaseException as error:  # Rust panics are no Exception
            code = getattr(error, "code", None) if isinstance(error, Exception) else None
            answer = ("error", type(error).__name__, str(error)[:300], code)
        pipe.send(answer)
