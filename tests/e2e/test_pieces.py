"""A site whose large files were published in pieces (`build.py build --max-file-mb`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.support import (
    BERLIN_DOCUMENTS,
    BLANK_PAGE,
    LEAST_LIMIT_MB,
    ROOT,
    Watch,
    check_works,
    link_site,
    recorded_requests,
    run,
)
from tests.e2e.test_offline import rank_in_app
from tools.pieces import MB
from tools.serve import Server, make_server
from tools.site import assemble
from tools.static_files import Handler

MODEL_FILE = "model_quantized.onnx"


@pytest.fixture(scope="module")
def pieces_dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dist = tmp_path_factory.mktemp("pieces") / "dist"
    assemble(ROOT, dist, LEAST_LIMIT_MB)
    return dist


@pytest.fixture
def folder(pieces_dist: Path, tmp_path: Path) -> Path:
    """A site of the test's own."""
    link_site(tmp_path, pieces_dist)
    (tmp_path / "blank.html").write_text(BLANK_PAGE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    started = make_server(folder, "127.0.0.1", 0)
    started.start()
    yield started
    started.stop()


def test_no_file_is_larger_and_each_is_listed(pieces_dist: Path) -> None:
    sizes = {path: path.stat().st_size for path in pieces_dist.rglob("*") if path.is_file()}
    assert max(sizes.values()) <= LEAST_LIMIT_MB * MB
    listed = json.loads((pieces_dist / "files.json").read_text(encoding="utf-8"))["files"]
    assert all(sizes[pieces_dist / file["path"]] == file["bytes"] for file in listed)
    for name in (MODEL_FILE, "pyodide.asm.wasm", "ort-wasm-simd-threaded.asyncify.wasm"):
        assert sum(f"/{name}." in file["path"] for file in listed) > 3, name


def test_it_loads_and_ranks(open_page: OpenPage, server: Server) -> None:
    page = open_page(base=server.url)
    with recorded_requests() as paths:
        run(page, "await t.start({ sessions: 1 })")
    check_works(page)
    pieces = [path for path in paths if path.endswith(".piece")]
    assert sum(MODEL_FILE in path for path in pieces) == 18
    assert len(pieces) == len(set(pieces)), "no piece is asked for twice"
    progress = [event for event in run(page, "return t.progress") if event["phase"] == "download"]
    assert len({event["loadedBytes"] for event in progress}) > 10, "it is told piece by piece"
    assert run(page, "return t.reranker.saved")


def test_the_app_works_with_the_server_gone(
    open_page: OpenPage, server: Server, watch: Watch
) -> None:
    page = open_page("", base=server.url)
    assert rank_in_app(page) == BERLIN_DOCUMENTS
    expect(page.locator("#offline")).to_have_text("Ready to work offline.", timeout=60_000)
    server.stop()
    watch.allow("ERR_CONNECTION_REFUSED")
    page.reload()
    assert rank_in_app(page) == BERLIN_DOCUMENTS


def test_a_folder_address_means_the_pieces_too(open_page: OpenPage, server: Server) -> None:
    page = open_page(base=server.url)
    run(page, "await t.start({ sessions: 1, model: './models/ms-marco-MiniLM-L-12-v2' })")
    check_works(page)


def test_a_download_goes_on_where_it_was_cut(
    open_page: OpenPage, server: Server, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.allow("ERR_", "request failed")
    cut: list[str] = []
    copy = Handler._copy

    def copy_or_cut(self: Handler, file: object, count: int) -> None:
        if f"{MODEL_FILE}.12-" in self.path and len(cut) < 2:  # both tries of one request
            cut.append(self.path)
            raise ConnectionError
        copy(self, file, count)  # type: ignore[arg-type]

    monkeypatch.setattr(Handler, "_copy", copy_or_cut)
    page = open_page(base=server.url)
    with recorded_requests() as paths:
        run(page, "await t.start({ sessions: 1 })")
    assert len(cut) == 2
    check_works(page)
    asked = [path.split(f"{MODEL_FILE}.")[1] for path in paths if MODEL_FILE in path]
    numbers = [int(name.partition("-")[0]) for name in asked]
    again = numbers[numbers.index(12) + 2 :]
    assert again[0] == 9, "the first chunk that was lost, of 16 MiB, begins in the ninth piece"
    assert set(again) == set(range(9, 19))


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        (f"{MODEL_FILE}.3-", ("model_load", "model_integrity")),
        ("pyodide.asm.wasm.2-", ("runtime_load",)),
        ("ort-wasm-simd-threaded.wasm.2-", ("runtime_load", "model_load")),
    ],
)
@pytest.mark.parametrize("damage", ["another byte", "gone"])
def test_a_wrong_piece_is_never_used(
    open_page: OpenPage,
    server: Server,
    folder: Path,
    watch: Watch,
    name: str,
    codes: tuple[str, ...],
    damage: str,
) -> None:
    watch.allow("integrity", "digest", "ERR_", "404", "request failed", "console")
    [piece] = (path for path in folder.rglob(f"{name}*.piece"))
    good = piece.read_bytes()
    piece.unlink()  # a link to the shared site
    if damage == "another byte":
        piece.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    page = open_page(base=server.url)
    body = "return Promise.race([t.outcome(() => t.start({ sessions: 1 })), t.sleep(60_000)])"
    outcome = run(page, body)
    assert outcome, "the start hangs"
    error = outcome["error"]
    assert error["typed"] and error["code"] in codes and error["retryable"], error

    piece.unlink(missing_ok=True)
    piece.write_bytes(good)
    _check_the_next_start_works(page)


def _check_the_next_start_works(page: Page) -> None:
    run(page, "await t.start({ sessions: 1 })")
    check_works(page)


def test_only_what_is_asked_for_changes(pieces_dist: Path) -> None:
    """Put together, the pieces are the files of a build without the option."""
    whole = ROOT / "dist"
    pieces: dict[Path, dict[int, bytes]] = {}
    for path in pieces_dist.rglob("*.piece"):
        name, _, rest = path.name.removesuffix(".piece").rpartition(".")
        file = path.with_name(name).relative_to(pieces_dist)
        pieces.setdefault(file, {})[int(rest.partition("-")[0])] = path.read_bytes()
    for file, contents in pieces.items():
        assert (
            b"".join(contents[number] for number in sorted(contents)) == (whole / file).read_bytes()
        ), file
    assert not list(whole.rglob("*.piece"))
