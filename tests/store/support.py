"""What the tests of the store share: prefetching, and looking into the database."""

from __future__ import annotations

import base64
import itertools
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.e2e.support import MODEL_FOLDER, run
from tests.hub.server import Hub

CHUNK = 16 * 2**20
#: What may lie in the buffers between the hub and the page, bytes.
IN_FLIGHT = 4 * 2**20

#: The bundled model on the hub; its weights are three chunks.
L12 = "test/l12"
L12_FILE = f"{L12}/onnx/model_quantized.onnx"
L12_BYTES = (MODEL_FOLDER / "onnx/model_quantized.onnx").stat().st_size

#: A tiny one, where the length does not matter.
TINY = "test/bert"
TINY_FILE = f"{TINY}/onnx/model.onnx"
TINY_CONFIG = f"{TINY}/config.json"

QUERY = "How many people live in Berlin?"
DOCUMENTS = ["Berlin has 3.5 million inhabitants.", "New York has a museum.", "a"]

PHASES = ["runtime", "download", "verify", "load", "warmup"]

Answer = dict[str, Any]


def hash_of(hub: Hub, path: str) -> str:
    """The sha256 of a file of the hub, given as 'owner/name/file'."""
    owner, name, file = path.split("/", 2)
    return hub.repositories[f"{owner}/{name}"][file].sha256


def prefetch(page: Page, model: str, **options: Any) -> Answer:
    """How models.prefetch ended, and what it told."""
    answer: Answer = run(page, "return t.prefetch(...arg)", [model, options])
    return answer


def use_once(page: Page, model: str | None = None, **options: Any) -> Answer:
    """Load, rerank, dispose."""
    given = {"sessions": 1, **({} if model is None else {"model": model}), **options}
    answer: Answer = run(page, "return t.once(...arg)", [given, QUERY, DOCUMENTS])
    return answer


def stored(page: Page) -> Answer:
    """What the database holds, but for the bytes."""
    records: Answer = run(page, "return t.stored()")
    return records


def check_whole(page: Page, hub: Hub, path: str, answer: Answer) -> None:
    """The download ended well, and the database has the right bytes."""
    assert answer.get("error") is None
    assert answer["value"]["saved"] is True
    sha256 = hash_of(hub, path)
    assert run(page, "return t.storedHash(arg)", sha256) == sha256
    records = stored(page)
    assert sha256 in [file["sha256"] for file in records["files"]]
    assert records["partials"] == []


def check_nothing_kept(page: Page, hub: Hub, path: str) -> None:
    """A file is not in the database, nor any part of it, nor a model that needs it."""
    sha256 = hash_of(hub, path)
    records = stored(page)
    assert sha256 not in [file["sha256"] for file in records["files"]]
    assert sha256 not in [partial["key"] for partial in records["partials"]]
    check_no_stray_chunks(records)
    assert records["releases"] == []


def check_no_stray_chunks(records: Answer) -> None:
    """Every chunk is of a file or of a download that can go on."""
    known = {record["id"] for record in records["files"] + records["partials"]}
    assert {chunk[0] for chunk in records["chunks"]} <= known


NOTHING: Answer = {"files": [], "partials": [], "chunks": [], "releases": []}


def check_progress(progress: list[Answer], least: int) -> None:
    """Bytes never fall and end at the total; so do the phases."""
    for before, after in itertools.pairwise(progress):
        assert before["loadedBytes"] <= after["loadedBytes"]
        assert before["totalBytes"] <= after["totalBytes"]
        assert PHASES.index(before["phase"]) <= PHASES.index(after["phase"])
    assert all(event["loadedBytes"] <= event["totalBytes"] for event in progress)
    assert progress[-1]["loadedBytes"] == progress[-1]["totalBytes"] >= least


def give_files(page: Page, files: dict[str, bytes], name: str = "given") -> None:
    """Put Files into the page, as `globalThis[name]`."""
    listed = [
        {"path": path, "base64": base64.b64encode(content).decode()}
        for path, content in files.items()
    ]
    body = "globalThis[arg[1]] = arg[0].map(t.fileOf)"
    run(page, body, [listed, name])


def folder_files(folder: Path, top: str = "folder") -> dict[str, bytes]:
    """The files of a folder, as a browser names them when the folder is chosen."""
    return {
        f"{top}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
