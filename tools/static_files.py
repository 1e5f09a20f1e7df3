"""Answers to requests for static files: which file, which part of it, which headers."""

import http.server
import os
import re
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Protocol, cast
from urllib.parse import quote, unquote, urlsplit

MIME_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ts": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".zip": "application/zip",
}

#: Sent with every answer, since a worker is governed by the headers of its own script.
#: `connect-src` lets the user choose a model: of any hub, or of another server on this machine.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
        "connect-src 'self' https: http://127.0.0.1:* http://localhost:*; img-src 'self' data:; "
        "style-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

CHUNK_BYTES = 1 << 18


def locate(folder: Path, request_path: str) -> Path | None:
    """Return the file or folder a request means, or None for anything outside `folder`."""
    relative = unquote(urlsplit(request_path).path).lstrip("/")
    if "\0" in relative or "\\" in relative:
        return None
    root = folder.resolve()
    target = (root / relative).resolve()
    return target if target == root or root in target.parents else None


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Read a single byte range as (first, last), both included; None means the whole file.

    Raises:
        ValueError: if the range lies outside the file.
    """
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header or "")
    if match is None or match.group() == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
    if start > end:
        raise ValueError("range outside the file")
    return start, end


class FileServer(Protocol):
    """What the handler needs to know of its server."""

    folder: Path
    extra_headers: Mapping[str, str]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET and HEAD. No log: the page's own requests are no news."""

    protocol_version = "HTTP/1.1"

    @property
    def _files(self) -> FileServer:
        return cast(FileServer, self.server)

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        target = locate(self._files.folder, self.path)
        if target is not None and target.is_dir():
            if not urlsplit(self.path).path.endswith("/"):
                self._redirect(target)
                return
            target = target / "index.html"
        try:
            if target is None:
                raise FileNotFoundError
            with target.open("rb") as file:
                self._send_file(target, file)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
            self.send_error(HTTPStatus.NOT_FOUND)
        except ConnectionError:
            self.close_connection = True

    def _redirect(self, folder: Path) -> None:
        relative = folder.relative_to(self._files.folder.resolve()).as_posix()
        self.send_response(HTTPStatus.MOVED_PERMANENTLY)
        self.send_header("Location", f"/{quote(relative)}/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_file(self, path: Path, file: BinaryIO) -> None:
        status = os.fstat(file.fileno())
        etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
        if self.headers.get("If-None-Match") == etag:
            self.send_response(HTTPStatus.NOT_MODIFIED)
            self.send_header("ETag", etag)
            self.end_headers()
            return
        try:
            part = parse_range(self.headers.get("Range"), status.st_size)
        except ValueError:
            self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_header("Content-Range", f"bytes */{status.st_size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        first, last = part or (0, status.st_size - 1)
        self.send_response(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK)
        if part:
            self.send_header("Content-Range", f"bytes {first}-{last}/{status.st_size}")
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Content-Type", MIME_TYPES.get(path.suffix, "application/octet-stream"))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", etag)
        self.send_header("Last-Modified", formatdate(status.st_mtime, usegmt=True))
        self.end_headers()
        if self.command != "HEAD":
            file.seek(first)
            self._copy(file, last - first + 1)

    def _copy(self, file: BinaryIO, count: int) -> None:
        while count > 0 and (chunk := file.read(min(CHUNK_BYTES, count))):
            self.wfile.write(chunk)
            count -= len(chunk)

    def end_headers(self) -> None:
        for name, value in {**HEADERS, **self._files.extra_headers}.items():
            self.send_header(name, value)
        super().end_headers()

    def version_string(self) -> str:
        return "webrerank"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
