"""What a first visit transfers until the first ranked list, as a host that compresses sends it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

import brotli

from bench.browser import chromium
from bench.document_sets import DocumentSet
from bench.site import SITE
from bench.start import visit_first_list
from bench.timing import say
from tools.assets import sha256_of
from tools.static_files import Handler

#: What a build would do once for all; 11 takes minutes and gains a few percent.
QUALITY = 9

#: Parts by the beginning of a path; the first that fits counts.
PARTS = (
    ("/webrerank/vendor/pyodide/", "Python and numpy"),
    ("/webrerank/vendor/ort/", "ONNX Runtime Web"),
    ("/peers/onnxruntime-web/", "ONNX Runtime Web"),
    ("/webrerank/vendor/tokenizers", "tokenizer"),
    ("/webrerank/models/", "model"),
    ("/hub/", "model"),
    ("/webrerank/", "library"),
    ("/peers/", "library"),
)


@dataclass(frozen=True)
class FirstVisit:
    """Bytes by part, compressed with brotli where that helps, and raw."""

    requests: int
    compressed: dict[str, int]
    raw: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.compressed.values())


def measure_transfer(origin: str, documents: DocumentSet) -> dict[str, FirstVisit]:
    """Visit each page once with nothing stored; the server tells what was fetched."""
    visits = {}
    for name in ("webrerank", "transformers"):
        fetched: list[str] = []

        def record(handler: Handler, code: int | str = "-", size: int | str = "-") -> None:
            if handler.command == "GET" and code in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
                fetched.append(urlsplit(handler.path).path)  # noqa: B023 - used at once

        with mock.patch.object(Handler, "log_request", record), chromium() as context:
            visit_first_list(context, origin, name, documents)
        visits[name] = _first_visit(fetched)
        say(f"  {name}: {visits[name].total / 1e6:.2f} MB compressed")
    return visits


def _first_visit(fetched: list[str]) -> FirstVisit:
    compressed: dict[str, int] = {}
    raw: dict[str, int] = {}
    for path in sorted(set(fetched)):  # a file that is fetched in ranges counts once
        part = next((part for start, part in PARTS if path.startswith(start)), None)
        if part is None:
            continue  # our own page
        file = SITE / path.lstrip("/")
        raw[part] = raw.get(part, 0) + file.stat().st_size
        compressed[part] = compressed.get(part, 0) + compressed_size(file)
    return FirstVisit(len(fetched), compressed, raw)


def compressed_size(file: Path) -> int:
    """The size after brotli, or as it is if that is less; remembered by content."""
    memory = SITE.parent / "compressed.json"
    sizes: dict[str, int] = json.loads(memory.read_text()) if memory.exists() else {}
    key = f"{sha256_of(file)} {QUALITY}"
    if key not in sizes:
        data = file.read_bytes()
        sizes[key] = min(len(data), len(brotli.compress(data, quality=QUALITY)))
        memory.write_text(json.dumps(sizes))
    return sizes[key]
