"""WebKitGTK's MiniBrowser, driven by WebKitWebDriver, on a display of its own.

Its automated sessions are ephemeral: what pages store is in memory only, and gone at the end.
The few commands of WebDriver that are needed are plain JSON over HTTP, so no client library is.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.engines.page import PATIENCE_S, EngineMissing, run_program

BROWSERS = ("webkit2gtk-4.1/MiniBrowser", "webkitgtk-6.0/MiniBrowser")

#: WebDriver tells nothing of the console, so the page gathers it, from its load event on.
EARS = """
  const heard = (globalThis.heard = []);
  for (const level of ['error', 'warn']) {
    const print = console[level];
    console[level] = (...parts) => {
      heard.push(`console ${level}: ${parts.join(' ')}`);
      print.apply(console, parts);
    };
  }
  addEventListener('error', (event) => heard.push(`uncaught: ${event.message}`));
  addEventListener('unhandledrejection', (event) => heard.push(`uncaught: ${event.reason}`));
  addEventListener('securitypolicyviolation', (event) =>
    heard.push(`CSP violation: ${event.violatedDirective} ${event.blockedURI}`));"""


class WebKitPage:
    """The tab of a MiniBrowser of its own."""

    def __init__(self) -> None:
        driver, browser, xvfb = _find()
        self._complaints: list[str] = []
        with ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="webrerank-")))
            display = stack.enter_context(_display(xvfb, home))
            self._url = stack.enter_context(_driver(driver, home, display))
            options = {"binary": str(browser), "args": ["--automation"]}
            wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
            session = self._send("POST", "session", capabilities=wanted)
            self._url += f"session/{session['sessionId']}/"
            stack.callback(self._send, "DELETE", "")
            limit = 2 * PATIENCE_S * 1000  # after the page's own (see `run`)
            self._send("POST", "timeouts", script=limit, pageLoad=limit)
            self._stack = stack.pop_all()

    def _send(self, method: str, command: str, **parameters: Any) -> Any:
        """Send a command of https://www.w3.org/TR/webdriver2/; gives its value."""
        body = json.dumps(parameters).encode() if method == "POST" else None
        url = (self._url + command).rstrip("/")
        request = urllib.request.Request(url, body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=3 * PATIENCE_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                told = json.load(error)["value"]
            raise RuntimeError(f"{command}: {told['error']}: {told['message']}") from error

    def _execute(self, script: str) -> Any:
        return self._send("POST", "execute/sync", script=script, args=[])

    def go(self, url: str) -> None:
        self._keep_complaints()
        self._send("POST", "url", url=url)
        self._execute(EARS)

    def reload(self) -> None:
        self._keep_complaints()
        self._send("POST", "refresh")
        self._execute(EARS)

    def call(self, function: str, argument: str) -> str:
        script = f"""const [text, done] = arguments;
            ({function})(text).then((value) => done({{ value }}),
                                    (error) => done({{ error: String(error) }}));"""
        answer = self._send("POST", "execute/async", script=script, args=[argument])
        if "error" in answer:
            raise RuntimeError(answer["error"])
        text: str = answer["value"]
        return text

    def _keep_complaints(self) -> None:
        self._complaints += self._execute("return globalThis.heard?.splice(0) ?? []")

    def complaints(self) -> list[str]:
        self._keep_complaints()
        heard, self._complaints = self._complaints, []
        return heard

    def close(self) -> None:
        self._stack.close()


def _find() -> tuple[str, Path, str]:
    driver, xvfb = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    places = [path for name in BROWSERS for path in Path("/usr/lib").glob(f"*/{name}")]
    if not (driver and xvfb and places):
        raise EngineMissing("apt-get install webkit2gtk-driver xvfb")
    return driver, places[0], xvfb


@contextmanager
def _display(xvfb: str, home: Path) -> Iterator[str]:
    """A display that nobody sees; Xvfb chooses a free number and tells it."""
    read, write = os.pipe()
    command = [xvfb, "-displayfd", str(write), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
    with (
        open(read, encoding="ascii") as told,
        open(write, "w") as telling,
        run_program(command, home, pass_fds=[write]),
    ):
        telling.close()  # Xvfb has its own, so that the end of Xvfb ends the reading
        yield ":" + told.readline().strip()


@contextmanager
def _driver(path: str, home: Path, display: str) -> Iterator[str]:
    """WebKitWebDriver, answering; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {"DISPLAY": display, "GDK_BACKEND": "x11"}
    with run_program([path, f"--port={port}"], home, environment) as driver:
        for _ in range(PATIENCE_S * 10):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                if driver.poll() is not None:
                    raise RuntimeError(f"WebKitWebDriver ended: {driver.returncode}") from None
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
