"""A local HTTPS server that stands in for the Hugging Face hub and its storage.

The product knows one hub address, so the browser is told to find that host here; see
`Hub.browser_arguments`.
"""

from __future__ import annotations

import http.server
import ssl
import tempfile
import threading
from pathlib import Path
from typing import Any

import trustme

from tests.hub.answers import Handler
from tests.hub.contents import CDN_HOST, HUB_HOST, MIRROR_HOST, Contents

HOSTS = (HUB_HOST, CDN_HOST, MIRROR_HOST)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, contents: Contents, context: ssl.SSLContext) -> None:
        self.contents = contents
        self._context = context
        super().__init__(("127.0.0.1", 0), Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            wrapped = self._context.wrap_socket(request, server_side=True)
        except OSError:  # the browser tried and left
            return
        super().process_request_thread(wrapped, client_address)

    def shutdown_request(self, request: Any) -> None:
        try:
            super().shutdown_request(request)
        except OSError:
            request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that leaves is no error."""


class Hub(Contents):
    """The running hub: what it holds, and where browsers find it."""

    def __init__(self) -> None:
        super().__init__()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "certificate.pem"
            certificate = trustme.CA().issue_cert(*HOSTS)
            certificate.private_key_and_cert_chain_pem.write_to_path(file)
            context.load_cert_chain(file)
        self._server = _Server(self, context)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    @property
    def browser_arguments(self) -> list[str]:
        """With these Chromium finds the hub and its storage here."""
        hosts = ", ".join(f"MAP {host} 127.0.0.1:{self.port}" for host in HOSTS)
        return [f"--host-resolver-rules={hosts}", "--ignore-certificate-errors"]

    def close(self) -> None:
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
