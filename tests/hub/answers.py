"""What the test hub answers: as huggingface.co and its storage do, or wrong on command."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import re
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any, Protocol, cast
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.hub.contents import (
    CDN_HOST,
    HUB_HOST,
    Asked,
    Contents,
    Fault,
    HubFile,
    cdn_url,
    signature_is_good,
)
from tools.static_files import parse_range

#: As the hub sends it (seen 2026-10); a browser shows scripts no other header.
EXPOSED = (
    "X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,"
    "Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash"
)
BLOCK = 1 << 16


class HubServer(Protocol):
    """What the handler needs to know of its server."""

    contents: Contents


class CutError(ConnectionError):
    """The connection was cut on purpose."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: Asked

    @property
    def hub(self) -> Contents:
        return cast(HubServer, self.server).contents

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_OPTIONS(self) -> None:
        self._note("preflight", urlsplit(self.path).path)
        self._head(204, {"Access-Control-Allow-Methods": "GET, HEAD"})

    def _answer(self) -> None:
        try:
            if self.hub.down:
                self._cut()
            self._route(urlsplit(self.path))
        except (ConnectionError, ssl.SSLError, ValueError):  # ValueError: a socket that was cut
            self.close_connection = True

    def _route(self, url: Any) -> None:
        path = unquote(url.path)
        host = self.headers.get("Host", "").split(":")[0]
        if tree := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)", path):
            self._tree(tree[1], tree[2], int(parse_qs(url.query).get("cursor", ["0"])[0]))
        elif named := re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/main", path):
            self._note("tree", named[1])
            body = json.dumps({"sha": self.hub.commits[named[1]]}).encode()
            self._whole(200, body, {"Content-Type": "application/json"})
        elif file := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(*file.groups())
        elif cached := re.fullmatch(r"/api/resolve-cache/models/([^/]+/[^/]+)/[^/]+/(.+)", path):
            self._content(*cached.groups())
        elif host == CDN_HOST and (stored := re.fullmatch(r"/repos/([^/]+/[^/]+)/(.+)", path)):
            self._signed(stored[1], stored[2], parse_qs(url.query))
        elif plain := re.fullmatch(r"/plain/([^/]+/[^/]+)/(.+)", path):
            self._plain(plain[1], plain[2], parse_qs(url.query).get("token", [""])[0])
        else:
            self._note("other", path)
            self._error(404, "EntryNotFound")

    def _plain(self, name: str, path: str, token: str) -> None:
        """As any static host does, or one that is odd in some way."""
        if fault := self.hub.next_fault(f"{name}/{path}", True):
            return self._error(fault.status, "", fault)
        status = self.hub.head_status if self.command == "HEAD" else 0
        if token != self.hub.token:
            status = 401
        if not status and path in self.hub.repositories[name]:
            return self._content(name, path)
        self._note("content", f"{name}/{path}")
        if status or not self.hub.page_for_missing:
            return self._error(status or 404, "")
        self._whole(200, b"<!doctype html><p>The app", {"Content-Type": "text/html"})

    def _tree(self, name: str, revision: str, start: int) -> None:
        self._note("tree", name)
        if fault := self.hub.next_fault(f"{name}/tree", True):
            return self._error(fault.status, "", fault)
        if name not in self.hub.repositories:
            return self._error(401, "RepoNotFound")
        if revision not in ("main", self.hub.commits[name]):
            return self._error(404, "RevisionNotFound")
        entries = [_entry(*item) for item in self.hub.repositories[name].items()]
        end = start + self.hub.page_size
        headers = {"X-Repo-Commit": self.hub.commits[name], "Content-Type": "application/json"}
        if end < len(entries):
            following = (
                f"https://{HUB_HOST}/api/models/{name}/tree/{revision}?recursive=true&cursor={end}"
            )
            headers["Link"] = f'<{following}>; rel="next"'
        fault = self.hub.next_fault(f"{name}/tree", False) or Fault()
        headers["Content-Type"] = fault.content_type or headers["Content-Type"]
        body = fault.content or json.dumps(entries[start:end]).encode()
        self._whole(200, body, headers | dict(fault.headers))

    def _resolve(self, name: str, revision: str, path: str) -> None:
        self._note("resolve", f"{name}/{path}")
        if fault := self.hub.next_fault(f"{name}/{path}", True):
            return self._error(fault.status, "", fault)
        if name not in self.hub.repositories:
            return self._error(401, "RepoNotFound")
        file = self.hub.repositories[name].get(path)
        if file is None or revision not in ("main", self.hub.commits[name]):
            return self._error(404, "EntryNotFound")
        commit = self.hub.commits[name]
        headers = {"X-Repo-Commit": commit}
        if file.lfs:
            headers |= {"X-Linked-ETag": f'"{file.sha256}"', "X-Linked-Size": str(file.size)}
            return self._whole(302, b"", headers | {"Location": cdn_url(f"{name}/{path}")})
        cached = f"/api/resolve-cache/models/{name}/{commit}/{quote(path)}"
        self._whole(307, b"", headers | {"Location": f"{cached}?etag=%22{_git_oid(file)}%22"})

    def _signed(self, name: str, path: str, query: dict[str, list[str]]) -> None:
        expires, signature = (query.get(key, [""])[0] for key in ("Expires", "Signature"))
        if not signature_is_good(f"{name}/{path}", expires, signature):
            self._note("other", self.path)
            return self._error(403, "")
        self._content(name, path)

    def _content(self, name: str, path: str) -> None:
        self._note("content", f"{name}/{path}")
        file = self.hub.repositories[name][path]
        asked = self.command != "HEAD"
        fault = (asked and self.hub.next_fault(f"{name}/{path}", False)) or Fault()
        etag = fault.etag or f'"{file.sha256 if file.lfs else _git_oid(file)}"'
        size = file.size if fault.content is None else len(fault.content)
        if_range = self.headers.get("If-Range")
        stale = if_range not in (None, etag) and not fault.ignore_if_range
        wanted = None if fault.ignore_range or stale else self.headers.get("Range")
        try:
            part = parse_range(wanted, size)
        except ValueError:
            return self._whole(416, b"", {"Content-Range": f"bytes */{size}"})
        first, last = part or (0, size - 1)
        self.asked.first = first
        headers = {"ETag": etag, "Accept-Ranges": "bytes"}
        headers["Content-Type"] = fault.content_type or "application/octet-stream"
        if fault.encoding:
            headers["Content-Encoding"] = fault.encoding
        if self.hub.modified:
            headers["Last-Modified"] = self.hub.modified
        if self.hub.restless:
            headers["Last-Modified"] = formatdate(len(self.hub.log), usegmt=True)
        if part:
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        if fault.no_length:
            headers["Connection"] = "close"
        else:
            headers["Content-Length"] = str(last - first + 1)
        self._head(206 if part else 200, headers | dict(fault.headers))
        if self.command != "HEAD":
            self._send(_blocks(file, fault, first, last + 1), fault)

    def _send(self, blocks: Iterator[bytes], fault: Fault) -> None:
        place = self.asked.first
        for block in blocks:
            stop = fault.cut_at if fault.cut_at is not None else fault.hold_at
            if stop is not None and place + len(block) > stop:
                self._write(block[: max(0, stop - place)])
                if fault.hold_at is None:
                    self._cut()
                self.hub.released.wait(60)
                self._cut()
            self._write(block)
            place += len(block)
            if fault.bytes_per_second:
                time.sleep(len(block) / fault.bytes_per_second)

    def _write(self, block: bytes) -> None:
        self.wfile.write(block)
        self.asked.sent += len(block)

    def _cut(self) -> None:
        """Reset the connection, as a lost network does."""
        # Sent bytes that the other end has not read yet would be lost with a reset.
        time.sleep(0.05)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        raise CutError

    def _note(self, hop: str, path: str) -> None:
        host = self.headers.get("Host", "").split(":")[0]
        headers = self.headers.get("Range"), self.headers.get("If-Range")
        self.asked = Asked(host, self.command, path, hop, *headers)
        self.hub.log.append(self.asked)

    def _error(self, status: int, code: str, fault: Fault = Fault()) -> None:  # noqa: B008
        headers = {"X-Error-Code": code, "Content-Type": "text/plain"}
        self._whole(status, b"error", headers | dict(fault.headers))

    def _whole(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self._head(status, {"Content-Length": str(len(body)), **headers})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.asked.status = status
        self.send_response(status)
        for name, value in {**self._cors(), **headers}.items():
            self.send_header(name, value)
        if status == 204:
            self.send_header("Access-Control-Allow-Headers", "range, if-range")
        self.end_headers()

    def _cors(self) -> dict[str, str]:
        if self.hub.plain or self.hub.hides_commit:
            return {"Access-Control-Allow-Origin": "*"}
        if self.headers.get("Host", "").startswith(CDN_HOST):
            return {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "*"}
        origin = self.headers.get("Origin", f"https://{HUB_HOST}")
        allowed = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        return {**allowed, "Access-Control-Expose-Headers": EXPOSED}

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the log is in `Contents`."""


def _blocks(file: HubFile, fault: Fault, first: int, end: int) -> Iterator[bytes]:
    if fault.content is not None:
        yield fault.content[first:end]
        return
    with file.disk.open("rb") as stream:
        stream.seek(first)
        while first < end and (block := stream.read(min(BLOCK, end - first))):
            yield block
            first += len(block)


def _git_oid(file: HubFile) -> str:
    blob = f"blob {file.size}\0".encode() + file.disk.read_bytes()
    return hashlib.sha1(blob).hexdigest()


def _entry(path: str, file: HubFile) -> dict[str, Any]:
    entry = {"type": "file", "path": path, "size": file.size, "oid": _git_oid(file)}
    lfs = {"oid": file.sha256, "size": file.size, "pointerSize": 134}
    return {**entry, "lfs": lfs} if file.lfs else entry
