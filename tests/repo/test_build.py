"""build.py keeps its promises: only verified bytes, nothing half-written, one clear sentence."""

import hashlib
import http.client
import io
import random
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import build
from tools import BuildError, site
from tools.assets import AssetFile, Cache, load_parts
from tools.command_line import parse_arguments
from tools.fetch import Package, download, parse_source
from tools.folders import swap
from tools.pieces import MB, cut_large_files
from tools.release import name_release, name_vendor_folders, place_of
from tools.serve import Server, make_server
from tools.static_files import HEADERS, locate, parse_range

ROOT = Path(__file__).resolve().parents[2]
CONTENT = b"the real bytes"
SOURCE = parse_source("npm:@scope/thing@1.2.3!package/lib/index.js")


def asset(content: bytes = CONTENT, *more_sources: str) -> AssetFile:
    sources = (SOURCE, *map(parse_source, more_sources))
    return AssetFile("vendor/thing.js", len(content), hashlib.sha256(content).hexdigest(), sources)


def write_archive(package: Package, folder: Path, content: bytes = CONTENT) -> Path:
    """Stands in for a download: a package with one member."""
    archive = folder / "thing-1.2.3.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("package/lib/index.js")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return archive


def unreachable(command: Sequence[str], folder: Path) -> CompletedProcess[str]:
    return CompletedProcess(list(command), 1, "", "npm error getaddrinfo ENOTFOUND registry\n")


def test_sources_are_read() -> None:
    assert SOURCE.package == Package("npm", "@scope/thing", "1.2.3")
    assert SOURCE.member == "package/lib/index.js"
    wheel = parse_source("pypi:open-webui==0.12.4!a/b.whl")
    assert wheel.package == Package("pypi", "open-webui", "0.12.4")
    with pytest.raises(BuildError, match="cannot be read"):
        parse_source("ftp:thing@1!member")


def test_verified_file_is_cached_and_not_fetched_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    cache.ensure([asset()], write_archive)
    assert cache.path(asset()).read_bytes() == CONTENT

    cache.ensure([asset()], partial(download, python=Path("python"), run=unreachable))


def test_damaged_cache_is_repaired(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.path(asset()).write_bytes(b"the fake bytes")
    cache.ensure([asset()], write_archive)
    assert cache.path(asset()).read_bytes() == CONTENT


def test_wrong_hash_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="sha256 differs"):
        Cache(tmp_path).ensure([asset()], partial(write_archive, content=b"other"))
    assert list(tmp_path.iterdir()) == []


def test_missing_member_is_named(tmp_path: Path) -> None:
    file = AssetFile("a", 1, "0" * 64, (parse_source("npm:@scope/thing@1.2.3!package/none"),))
    with pytest.raises(BuildError, match="has no package/none"):
        Cache(tmp_path).ensure([file], write_archive)
    assert list(tmp_path.iterdir()) == []


def test_unreachable_registry_says_what_to_do(tmp_path: Path) -> None:
    get = partial(download, python=Path("python"), run=unreachable)
    with pytest.raises(BuildError, match=r"could not fetch @scope/thing 1\.2\.3 from npm: check"):
        Cache(tmp_path).ensure([asset()], get)
    assert list(tmp_path.iterdir()) == []


def test_second_source_is_used_when_the_first_fails(tmp_path: Path) -> None:
    def get(package: Package, folder: Path) -> Path:
        if package.name == "@scope/thing":
            return download(package, folder, Path("python"), unreachable)
        return write_archive(package, folder)

    file = asset(CONTENT, "npm:other@1.0.0!package/lib/index.js")
    Cache(tmp_path).ensure([file], get)
    assert Cache(tmp_path).path(file).read_bytes() == CONTENT


def test_damaged_file_without_a_reachable_source_is_not_accepted(tmp_path: Path) -> None:
    file = asset(CONTENT, "npm:other@1.0.0!package/lib/index.js")
    Cache(tmp_path).path(file).write_bytes(b"damaged")
    with pytest.raises(BuildError, match=r"could not fetch other 1\.0\.0"):
        Cache(tmp_path).ensure([file], partial(download, python=Path("python"), run=unreachable))


def test_assets_are_complete() -> None:
    files = [file for part in load_parts(ROOT / "assets.toml") for file in part.files]
    assert len({file.path for file in files}) == len(files)
    for file in files:
        assert file.size > 0 and file.sources
        assert len(file.sha256) == len(bytes.fromhex(file.sha256)) * 2 == 64


def test_failed_swap_keeps_the_old_folder(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "index.html").write_text("old")
    with pytest.raises(BuildError, match="cannot replace dist/"):
        swap(tmp_path / "missing", dist, tmp_path / "old")
    assert (dist / "index.html").read_text() == "old"


def test_failure_is_one_sentence_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(root: Path, max_file_mb: int | None) -> None:
        raise BuildError("npm was not found: install it.")

    monkeypatch.setattr(build, "build_site", fail)
    assert build.main(["build"]) == 1
    assert capsys.readouterr().err == "build.py: npm was not found: install it.\n"


def test_pytest_arguments_stay_as_they_are() -> None:
    arguments = ["-k", "a or b", "--", "--help", "--port"]
    assert parse_arguments(["test", *arguments]).arguments == arguments


def test_a_command_misspelt_is_told_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        build.main(["srve"])
    told = capsys.readouterr().err
    names = ("build", "check", "serve", "test", "bench", "eval", "fuzz", "mutate")
    assert all(name in told for name in names)


@pytest.mark.parametrize(
    ("arguments", "usage"),
    [([], "usage: python build.py COMMAND"), (["serve", "--help"], "usage: python build.py serve")],
)
def test_help_is_told(capsys: pytest.CaptureFixture[str], arguments: list[str], usage: str) -> None:
    with pytest.raises(SystemExit, match="0"):
        build.main(arguments)
    told = capsys.readouterr().out
    assert told.startswith(usage)
    assert all(option in told for option in ("--port", "--host", "--no-open", "do not open"))


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ([], True),
        (["-x", "-k", "logits or " * 100 + "tests"], True),
        (["-k", "web"], True),
        (["tests"], True),
        (["tests/unit", "tests/engines/test_app.py::test_the_app"], True),
        (["tests/unit"], False),
        (["-x", "tests/e2e/test_page.py::test_one", "tests/repo"], False),
    ],
)
def test_engines_are_installed_only_for_their_tests(arguments: list[str], wanted: bool) -> None:
    assert build.wants_engines(arguments) is wanted


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "dist"
    (folder / "sub folder").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "index.html").write_text("page")
    (folder / "sub folder" / "index.html").write_text("sub page")
    (folder / "digits.bin").write_bytes(b"0123456789")
    for suffix in ("mjs", "wasm", "onnx", "whl", "json"):
        (folder / f"file.{suffix}").write_bytes(b"")
    running = make_server(folder, "127.0.0.1", 0, {"X-Extra": "yes"})
    running.start()
    yield running
    running.stop()


def get(
    server: Server, path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """One request with the path exactly as given, which urllib would tidy up."""
    connection = http.client.HTTPConnection(server.url.split("/")[2], timeout=5)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def test_files_and_folders_are_served(server: Server) -> None:
    assert get(server, "/")[2] == b"page"
    assert get(server, "/?query=1")[2] == b"page"
    assert get(server, "/sub%20folder/")[2] == b"sub page"
    status, headers, _ = get(server, "//sub%20folder")
    assert (status, headers["Location"]) == (301, "/sub%20folder/")
    assert get(server, "/none")[0] == 404
    assert get(server, "/", "POST")[0] == 501


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/sub%20folder/../../secret.txt",
        "/..%2fsecret.txt",
        "/..%5csecret.txt",
        "//etc/passwd",
        "/%00",
    ],
)
def test_nothing_outside_the_folder_is_served(server: Server, path: str) -> None:
    status, _, body = get(server, path)
    assert status == 404
    assert b"secret" not in body


def test_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    assert locate(folder, "/link/secret.txt") is None
    assert locate(folder, "/link") is None


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [
        ("mjs", "text/javascript; charset=utf-8"),
        ("wasm", "application/wasm"),
        ("json", "application/json"),
        ("onnx", "application/octet-stream"),
        ("whl", "application/octet-stream"),
    ],
)
def test_mime_types(server: Server, suffix: str, expected: str) -> None:
    assert get(server, f"/file.{suffix}")[1]["Content-Type"] == expected


def test_every_answer_has_the_headers(server: Server) -> None:
    for path in ("/", "/none", "/file.mjs", "/sub%20folder"):
        _, headers, _ = get(server, path)
        for name, value in (HEADERS | {"X-Extra": "yes"}).items():
            assert headers.get_all(name) == [value]


def test_unchanged_file_is_not_sent_again(server: Server) -> None:
    etag = get(server, "/digits.bin")[1]["ETag"]
    status, _, body = get(server, "/digits.bin", headers={"If-None-Match": etag})
    assert (status, body) == (304, b"")


def test_ranges(server: Server) -> None:
    for header, status, body in [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=8-99", 206, b"89"),
        ("bytes=10-", 416, b""),
        ("bytes=1-2,4-5", 200, b"0123456789"),
    ]:
        answer = get(server, "/digits.bin", headers={"Range": header})
        assert (answer[0], answer[2]) == (status, body)
    assert get(server, "/digits.bin", headers={"Range": "bytes=2-4"})[1]["Content-Range"] == (
        "bytes 2-4/10"
    )
    assert get(server, "/digits.bin", "HEAD")[2] == b""
    assert parse_range(None, 10) is None


def test_stop_ends_open_connections(server: Server) -> None:
    connection = http.client.HTTPConnection(server.url.split("/")[2], timeout=5)
    connection.request("GET", "/")
    connection.getresponse().read()
    server.stop()
    with pytest.raises((http.client.HTTPException, OSError)):
        connection.request("GET", "/")
        connection.getresponse()
    connection.close()


def test_busy_port_is_one_sentence(server: Server, tmp_path: Path) -> None:
    port = int(server.url.rstrip("/").rsplit(":", 1)[1])
    with pytest.raises(BuildError, match="--port 0"):
        make_server(tmp_path, "127.0.0.1", port)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1", "a..b"])
def test_a_host_that_is_not_this_machine_is_one_sentence(tmp_path: Path, host: str) -> None:
    with pytest.raises(BuildError, match="--host"):
        make_server(tmp_path, host, 0)


@pytest.fixture
def small_dist(tmp_path: Path) -> Path:
    """A dist/ in the making, with a file of each kind."""
    for path in ("index.html", "app/main.js", "vendor/ort/ort.wasm", "models/m/model.onnx"):
        target = tmp_path / place_of(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b'<script src="app/main.js"></script><link href="styles/a.css">')
    return tmp_path


def test_other_content_has_another_address(small_dist: Path) -> None:
    copy = small_dist.with_name("copy")
    shutil.copytree(small_dist, copy)
    other = small_dist.with_name("other")
    shutil.copytree(small_dist, other)
    (other / place_of("app/main.js")).write_text("// changed")
    vendor, again, shared = map(name_vendor_folders, (small_dist, copy, other))
    assert vendor == again == shared
    release, same, changed = map(name_release, (small_dist, copy, other))
    assert release == same != changed
    assert (small_dist / vendor["ort"] / "ort.wasm").is_file()
    assert f"./{release}/webrerank.js" in (small_dist / "webrerank.js").read_text()
    page = (small_dist / "index.html").read_text()
    assert f'"{release}/app/main.js"' in page and f'"{release}/styles/a.css"' in page


def test_large_files_are_cut_into_pieces(tmp_path: Path) -> None:
    content = random.Random(1).randbytes(5 * MB + 1)
    (tmp_path / "model.onnx").write_bytes(content)
    (tmp_path / "small.onnx").write_bytes(content[: 5 * MB])
    [(name, pieces)] = cut_large_files(tmp_path, 5).items()
    assert name == "model.onnx" and not (tmp_path / name).exists()
    read = [(tmp_path / piece.path).read_bytes() for piece in pieces]
    assert b"".join(read) == content and (tmp_path / "small.onnx").exists()
    assert [piece.bytes for piece in pieces] == [2 * MB, 2 * MB, MB + 1]
    for piece, part in zip(pieces, read, strict=True):
        assert piece.sha256 == hashlib.sha256(part).hexdigest()
        assert piece.sha256[:12] in piece.path


def test_a_script_is_never_cut(tmp_path: Path) -> None:
    (tmp_path / "tokenizers.js").write_bytes(bytes(4 * MB + 1))
    with pytest.raises(BuildError, match=r"tokenizers\.js is a script.* --max-file-mb 5"):
        cut_large_files(tmp_path, 4)


def test_the_option_is_part_of_what_is_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second build with the same option does nothing; another option builds anew."""
    built: list[int | None] = []

    def write(root: Path, dist: Path, max_file_mb: int | None) -> dict[str, int]:
        built.append(max_file_mb)
        dist.mkdir()
        (dist / "files.json").write_text('{"files": []}')
        return {}

    monkeypatch.setattr(site, "assemble", write)
    monkeypatch.setattr(site, "input_stamp", lambda root: "unchanged")
    for option in (None, None, 24, 24, None):
        site.build_site(tmp_path, option)
    assert built == [None, 24, None]


def test_the_limit_is_read_from_the_command_line() -> None:
    assert parse_arguments(["build", "--max-file-mb", "24"]).max_file_mb == 24
    assert parse_arguments(["build"]).max_file_mb is None
