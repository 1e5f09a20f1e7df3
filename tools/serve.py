"""A server for dist/, for people and for tests, with the headers a good host sends."""

import errno
import http.server
import os
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tools import BuildError
from tools.static_files import Handler

#: What the system says of an address that is not this machine's.
HOST_ERRNOS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class _HTTPServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    #: On Windows this option would let two servers share one port.
    allow_reuse_address = os.name != "nt"

    def __init__(self, folder: Path, address: tuple[str, int], headers: Mapping[str, str]) -> None:
        self.folder = folder
        self.extra_headers = dict(headers)
        self.connections: set[socket.socket] = set()
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that closes a connection early is no error."""


class Server:
    """A server that holds its port from the start, and answers once it is started."""

    def __init__(self, http_server: _HTTPServer, host: str) -> None:
        self._http = http_server
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(
            host, f"[{host}]" if ":" in host else host
        )
        self.url = f"http://{shown}:{http_server.server_address[1]}/"
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Answer requests in a thread of its own."""
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def serve_forever(self) -> None:
        """Answer requests in this thread, until it is interrupted."""
        self._http.serve_forever()

    def stop(self) -> None:
        """Stop answering at once, open keep-alive connections too, and free the port."""
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
            self._thread = None
        self._http.server_close()
        for connection in list(self._http.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def make_server(
    folder: Path, host: str, port: int, extra_headers: Mapping[str, str] = NO_HEADERS
) -> Server:
    """Take a port for serving `folder`; port 0 picks a free one.

    Args:
        extra_headers: sent with every answer; they win over the standard ones of the same name.

    Raises:
        BuildError: if the port is taken or the host name is not this machine's.
    """
    try:
        return Server(_HTTPServer(folder, (host, port), extra_headers), host)
    except (socket.gaierror, UnicodeError) as error:  # UnicodeError: it can be no name at all
        raise _wrong_host(host) from error
    except (OSError, OverflowError) as error:
        if getattr(error, "errno", None) in HOST_ERRNOS:
            raise _wrong_host(host) from error
        reason = getattr(error, "strerror", None) or str(error)
        raise BuildError(
            f"cannot serve on {host} port {port} ({reason}): choose another with --port, "
            "or --port 0 for any free one."
        ) from error


def _wrong_host(host: str) -> BuildError:
    return BuildError(
        f"cannot serve on the host {host!r}: give --host a name or an address of this machine, "
        "such as 127.0.0.1, or 0.0.0.0 for all of them."
    )
