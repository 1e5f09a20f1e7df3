"""Firefox ESR, driven through the WebDriver BiDi that is built in.

No geckodriver: Debian does not package it, and Firefox needs it for the older protocol only.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import websocket

from tests.engines.page import PATIENCE_S, EngineMissing, run_program

NO_PREFERENCES: Mapping[str, int | bool | str] = MappingProxyType({})

#: CSP violations do not reach BiDi's log by themselves.
EARS = """() => addEventListener('securitypolicyviolation', (event) =>
  console.error(`CSP violation: ${event.violatedDirective} ${event.blockedURI}`))"""


class FirefoxPage:
    """The first tab of a Firefox of its own.

    Args:
        preferences: settings of the profile, as about:config has them.
    """

    def __init__(self, preferences: Mapping[str, int | bool | str] = NO_PREFERENCES) -> None:
        path = shutil.which("firefox-esr") or shutil.which("firefox")
        if path is None:
            raise EngineMissing("apt-get install firefox-esr")
        self._ids = count(1)
        self._complaints: list[str] = []
        with ExitStack() as stack:
            profile = stack.enter_context(_new_folder())
            settings = [
                f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in preferences.items()
            ]
            (Path(profile) / "user.js").write_text("\n".join(settings), encoding="utf-8")
            arguments = ["--headless", "--no-remote", "--profile", profile]
            command = [path, *arguments, "--remote-debugging-port", "0"]
            said = Path(profile) / "stderr.txt"  # a pipe that nobody reads would fill and block it
            with said.open("w") as stderr:
                firefox = stack.enter_context(run_program(command, Path(profile), stderr=stderr))
            address = find_address(firefox, said) + "/session"
            # Firefox refuses those who send an Origin, for they may be web pages.
            self._socket = websocket.create_connection(
                address, timeout=2 * PATIENCE_S, suppress_origin=True
            )
            stack.callback(self._socket.close)
            self._send("session.new", capabilities={})
            self._context = self._send("browsingContext.getTree")["contexts"][0]["context"]
            self._send("session.subscribe", events=["log.entryAdded"])
            self._send("script.addPreloadScript", functionDeclaration=EARS)
            self._stack = stack.pop_all()

    def _send(self, method: str, **parameters: Any) -> Any:
        wanted = next(self._ids)
        command = {"id": wanted, "method": method, "params": parameters}
        self._socket.send(json.dumps(command))
        while True:
            message = json.loads(self._socket.recv())
            if message["type"] == "event":
                self._hear(message["params"])
            elif message["id"] == wanted:
                if message["type"] == "error":
                    raise RuntimeError(f"{method}: {message['error']}: {message['message']}")
                return message["result"]

    def _hear(self, entry: dict[str, Any]) -> None:
        if entry["level"] in ("error", "warn"):
            self._complaints.append(f"{entry['type']} {entry['level']}: {entry['text']}")

    def go(self, url: str) -> None:
        self._send("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def reload(self) -> None:
        self._send("browsingContext.reload", context=self._context, wait="complete")

    def call(self, function: str, argument: str) -> str:
        answer = self._send(
            "script.callFunction",
            functionDeclaration=function,
            arguments=[{"type": "string", "value": argument}],
            target={"context": self._context},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        text: str = answer["result"]["value"]
        return text

    def complaints(self) -> list[str]:
        self.call("async () => ''", "")  # what came before it is heard by now
        heard, self._complaints = self._complaints, []
        return heard

    def close(self) -> None:
        self._stack.close()


def _new_folder() -> tempfile.TemporaryDirectory[str]:
    # A process that was just killed may still be writing.
    return tempfile.TemporaryDirectory(prefix="webrerank-", ignore_cleanup_errors=True)


def find_address(firefox: subprocess.Popen[str], said: Path, patience_s: float = PATIENCE_S) -> str:
    """Where Firefox says it listens, in the file that holds what it said."""
    end = time.monotonic() + patience_s
    waiting = True
    while waiting:
        # Asked before the file is read, so that its last words are there.
        waiting = firefox.poll() is None and time.monotonic() < end
        text = said.read_text(encoding="utf-8", errors="replace")
        if found := re.search(r"WebDriver BiDi listening on (ws://\S+)\n", text):
            return found[1]
        time.sleep(0.1)
    raise RuntimeError(f"Firefox did not start:\n{text}")
