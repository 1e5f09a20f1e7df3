"""What the test hub holds, how it misbehaves on command, and what it was asked."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

HUB_HOST = "huggingface.co"
CDN_HOST = "cdn-lfs.test"
#: Answers as the hub does.
MIRROR_HOST = "mirror.test"

#: Its signed addresses are good for so long, seconds.
SIGNED_FOR = 3600

#: What git LFS keeps on the hub: weights, and whatever is large.
LFS_SUFFIXES = (".onnx", ".onnx_data", ".data")
LFS_BYTES = 10_000_000

_SECRET = b"only for tests"


@dataclass(frozen=True)
class Fault:
    """How one answer goes wrong. Places are bytes in the file, not in the answer."""

    status: int = 0  #: answered instead of the file, without a redirect
    cut_at: int | None = None  #: the connection is reset there
    hold_at: int | None = None  #: nothing is sent from there on, and the connection stays open
    bytes_per_second: float = 0.0
    content: bytes | None = None  #: sent instead of the file
    content_type: str | None = None
    ignore_range: bool = False
    ignore_if_range: bool = False
    etag: str | None = None
    no_length: bool = False  #: the end of the connection is the end of the file
    encoding: str | None = None  #: how `content` is compressed
    headers: tuple[tuple[str, str], ...] = ()  #: sent in place of those that are right


@dataclass
class Asked:
    """One request and what came of it."""

    host: str
    method: str
    path: str  #: 'owner/name/file', or the address for anything else
    hop: str  #: 'tree', 'resolve', 'content', 'preflight' or 'other'
    range: str | None
    if_range: str | None
    status: int = 0
    first: int = 0  #: place in the file of the first byte sent
    sent: int = 0  #: bytes of the body


@dataclass(frozen=True)
class HubFile:
    """A file of a repository."""

    disk: Path
    sha256: str
    size: int

    @property
    def lfs(self) -> bool:
        return self.disk.suffix in LFS_SUFFIXES or self.size > LFS_BYTES


@dataclass
class Contents:
    """Repositories by 'owner/name', faults by 'owner/name/file', and the log."""

    repositories: dict[str, dict[str, HubFile]] = field(default_factory=dict)
    commits: dict[str, str] = field(default_factory=dict)
    log: list[Asked] = field(default_factory=list)
    page_size: int = 1000
    down: bool = False
    plain: bool = False  #: a host that shows scripts no header but those every host shows
    modified: str | None = None  #: the date of all files
    restless: bool = False  #: the date of all files is another each time
    head_status: int = 0  #: what the plain host answers to HEAD; 0: as to GET
    page_for_missing: bool = False  #: the plain host answers missing paths with its page
    hides_commit: bool = False  #: a mirror that shows scripts none of its own headers
    token: str = ""  #: the plain host wants it in each address
    released: threading.Event = field(default_factory=threading.Event)
    _faults: dict[str, list[tuple[Fault, bool]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, folder: Path) -> None:
        """Publish a folder, or publish it anew: then it gets another commit."""
        files = {
            path.relative_to(folder).as_posix(): HubFile(path, _sha256(path), path.stat().st_size)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        self.repositories[name] = files
        listing = repr([(path, file.sha256) for path, file in files.items()])
        self.commits[name] = hashlib.sha1(listing.encode()).hexdigest()

    def fault(self, path: str, *faults: Fault, forever: bool = False) -> None:
        """Let the next answers for a file go wrong, one each; the last one for ever if asked."""
        queue = [(fault, False) for fault in faults]
        if forever:
            queue[-1] = (faults[-1], True)
        self._faults[path] = queue

    def next_fault(self, path: str, with_status: bool) -> Fault | None:
        """Take the next fault, if it is for this hop: a status comes before the redirect."""
        with self._lock:
            queue = self._faults.get(path)
            if not queue or bool(queue[0][0].status) is not with_status:
                return None
            fault, forever = queue[0]
            if not forever:
                queue.pop(0)
            return fault

    def reset(self) -> None:
        """Behave well again and forget what was asked."""
        self._faults.clear()
        self.log.clear()
        self.down = self.plain = self.page_for_missing = False
        self.hides_commit = self.restless = False
        self.modified, self.token = None, ""
        self.head_status = 0
        self.page_size = 1000
        self.release()

    def release(self) -> None:
        """Let all that is held go."""
        self.released.set()
        self.released = threading.Event()

    def asked(self, path: str, hop: str = "content") -> list[Asked]:
        """The requests for one file; HEAD and preflights are none."""
        return [a for a in self.log if a.path == path and a.hop == hop and a.method == "GET"]

    def sent(self, path: str) -> int:
        """Bytes of a file that went out."""
        return sum(asked.sent for asked in self.asked(path))


def signed_query(key: str) -> str:
    """The query of a signed address, good for a while."""
    expires = str(int(time.time()) + SIGNED_FOR)
    return f"Expires={expires}&Signature={_sign(key, expires)}"


def signature_is_good(key: str, expires: str, signature: str) -> bool:
    """Whether a signed address may still be used."""
    fresh = expires.isdigit() and int(expires) > time.time()
    return fresh and hmac.compare_digest(_sign(key, expires), signature)


def cdn_url(path: str) -> str:
    """The signed address of a file."""
    return f"https://{CDN_HOST}/repos/{quote(path)}?{signed_query(path)}"


def _sign(key: str, expires: str) -> str:
    return hmac.new(_SECRET, f"{key}\n{expires}".encode(), hashlib.sha256).hexdigest()


_hashes: dict[tuple[Path, int, int], str] = {}


def _sha256(path: Path) -> str:
    status = path.stat()
    key = (path, status.st_mtime_ns, status.st_size)
    if key not in _hashes:
        with path.open("rb") as file:
            _hashes[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _hashes[key]
