"""Two releases of the site, both made by the build itself, and what a deployment does to them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.e2e.support import DIST, ROOT, link_site
from tools.folders import INPUTS
from tools.site import assemble

#: The version of the second release: its wheel has another name.
SECOND_VERSION = "99.0.0"


def build_second_release(folder: Path) -> Path:
    """A release that fails wherever a part of it meets a part of the first: its messages are of
    another version, its wheel has another name. Its library has one export more, `VERSION`."""
    source = folder / "source"
    for name in INPUTS:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        source.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, source / name)
    (source / ".venv").symlink_to(ROOT / ".venv")
    _change(source / "web/lib/protocol.js", r"PROTOCOL = \d+", "PROTOCOL = 9999")
    _change(source / "web/lib/version.js", r"VERSION = '[^']+'", f"VERSION = '{SECOND_VERSION}'")
    package = source / "py_src/webrerank/__init__.py"
    _change(package, r'__version__ = "[^"]+"', f'__version__ = "{SECOND_VERSION}"')
    with (source / "web/webrerank.js").open("a", encoding="utf-8") as entry:
        entry.write("export { VERSION } from './lib/version.js';\n")
    assemble(source, folder / "dist")
    return folder / "dist"


def _change(path: Path, pattern: str, text: str) -> None:
    changed, count = re.subn(pattern, text, path.read_text(encoding="utf-8"))
    assert count == 1, f"{path} has changed: adapt this"
    path.write_text(changed, encoding="utf-8")


def deploy(site: Path, second: Path, *, keep_old: bool) -> None:
    """Put the second release over the first; `keep_old` leaves the first's folders there."""
    if not keep_old:
        shutil.rmtree(site / "release")
        shutil.rmtree(site / "vendor")
    for path in site.iterdir():
        if path.is_file() and path.name != "blank.html":
            path.unlink()  # a link to dist/, which is to stay as it is
    link_site(site, second)


def release_of(site: Path) -> str:
    """The id of the release that a site's entry leads to."""
    entry = (site / "webrerank.js").read_text(encoding="utf-8")
    found = re.search(r"release/(\w+)/", entry)
    assert found
    return found[1]


FIRST = release_of(DIST) if DIST.is_dir() else ""
