"""What the tests ask of a browser engine, whatever protocol drives it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

NO_VARIABLES: Mapping[str, str] = MappingProxyType({})

#: Ends what hangs; with six programs a core WebKit loaded the page in 50, seconds.
PATIENCE_S = 240


class EngineMissing(Exception):
    """The engine is not on this machine; says what to install."""


class EnginePage(Protocol):
    """A tab of a browser with nothing stored but what the tests themselves store."""

    def go(self, url: str) -> None:
        """Open an address and wait for its load event."""

    def reload(self) -> None:
        """Open the same address again."""

    def call(self, function: str, argument: str) -> str:
        """Call an async JavaScript function in the page: text in, text out."""

    def complaints(self) -> list[str]:
        """Console errors and warnings and uncaught errors since the last time."""

    def close(self) -> None:
        """End the browser and remove its profile."""


def run(page: EnginePage, body: str, argument: Any = None) -> Any:
    """Run the body of an async function of `arg` in the page.

    As JSON both ways: the one form of values that all the drivers carry alike. What hangs is
    ended in the page, for not all drivers have a limit of time.
    """
    function = f"""async (text) => {{
      const body = async (arg) => {{ {body} }};
      const late = new Promise((_, reject) =>
        setTimeout(reject, {PATIENCE_S * 1000}, new Error('no end after {PATIENCE_S} s')));
      return JSON.stringify((await Promise.race([body(JSON.parse(text)), late])) ?? null);
    }}"""
    return json.loads(page.call(function, json.dumps(argument)))


@contextmanager
def run_program(
    command: list[str], home: Path, environment: Mapping[str, str] = NO_VARIABLES, **options: Any
) -> Iterator[subprocess.Popen[str]]:
    """Run a program that keeps its files in `home`; at the end, end it and all that it started."""
    folders = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(
        command,
        env={**os.environ, **dict.fromkeys(folders, str(home)), **environment},
        start_new_session=True,  # a process group of its own
        text=True,
        **{**quiet, **options},
    ) as program:
        try:
            yield program
        finally:
            with suppress(ProcessLookupError):  # it ended by itself
                os.killpg(program.pid, signal.SIGKILL)
