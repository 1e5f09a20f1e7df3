"""Rules on every file: size, no foreign addresses, nothing that runs text, third-party bytes."""

import re
import statistics
import tomllib
from pathlib import Path

import pytest

from tests.repo.sources import PYTHON, ROOT, WEB, name_of, own_files, read, without_comments

TEXT = {
    *(".py", ".js", ".mjs", ".ts", ".css", ".html", ".json", ".toml", ".md", ".txt", ".svg"),
    *(".webmanifest", ".yml", ".yaml", ".cfg", ".ini", ".sh"),
}
FILES = [path for path in own_files() if path.suffix in TEXT or not path.suffix]
SCRIPTS = [path for path in FILES if WEB in path.parents and path.suffix in (".js", ".html")]
SOURCES = [
    path
    for path in FILES
    if path.suffix in (".py", ".js", ".mjs", ".css", ".html") and ROOT / "tests" not in path.parents
]


def lines(path_text: str) -> int:
    return path_text.count("\n")


def test_what_is_looked_at_is_there() -> None:
    names = {name_of(path) for path in FILES}
    assert {"build.py", "web/sw.js", "web/index.html", "assets.toml"} <= names
    assert len(SOURCES) > 50


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_file_is_too_long_to_read_in_one_go(path: Path) -> None:
    assert lines(read(path)) <= 250


def test_half_of_the_files_are_short() -> None:
    for folder in (PYTHON, WEB):
        sizes = [lines(read(path)) for path in SOURCES if folder in path.parents]
        assert statistics.median(sizes) < 130


#: Written in halves, so that this file is clean itself.
REGISTRIES = [
    "registry." + "npmjs",
    "files." + "pythonhosted",
    "pypi." + "org/simple",
    "cdn." + "jsdelivr",
    "unpkg" + ".com",
    "cdnjs." + "cloudflare",
    "esm" + ".sh",
    "sky" + "pack.dev",
    "ajax." + "googleapis",
    "fonts." + "googleapis",
]


def test_no_registry_and_no_cdn_is_named() -> None:
    for path in FILES:
        text = read(path)
        found = [name for name in REGISTRIES if name in text]
        assert not found, name_of(path)


#: What turns text into markup or code.
DANGEROUS = re.compile(
    r"\b(inner|outer)HTML\b|\binsertAdjacentHTML\b|\bdocument\.write|\bDOMParser\b"
    r"|\beval\(|\bnew Function\b|\bsetTimeout\(\s*['\"`]|\bjavascript:|\son\w+=\""
)


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_no_text_is_ever_run(path: Path) -> None:
    code = without_comments(read(path))
    assert not DANGEROUS.search(code)
    for argument in re.findall(r"\brunPython(?:Async)?\(([^)]*)\)", code):
        assert re.fullmatch("[A-Z_]+", argument), "only a constant may be run as Python"
        constant = re.search(rf"const {argument} = `([^`]*)`", code)
        assert constant
        assert "${" not in constant[1]


def test_every_third_party_file_is_pinned_and_licensed() -> None:
    parts = tomllib.loads(read(ROOT / "assets.toml"))["parts"]
    assert len(parts) > 5
    paths = []
    for part in parts:
        for name in ("name", "version", "licence", "copyright"):
            assert part[name].strip(), part
        assert part["notices"], part["name"]
        for file in part["files"]:
            paths.append(file["path"])
            assert re.fullmatch("[0-9a-f]{64}", file["sha256"]), file["path"]
            assert file["size"] > 0
            assert file["sources"]
            for source in file["sources"]:
                assert re.fullmatch(r"(npm:@?[\w./-]+@|pypi:[\w.-]+==)[\w.]+!\S.*", source), source
    assert len(paths) == len(set(paths))
