"""The addresses of a release: folders with an id of their content in their names.

A page of one release asks for files of no other, whatever hosts and browsers keep: another content
has another address. What several releases can share (Pyodide, ONNX Runtime, the tokenizer) has
ids of its own, so that an unchanged one is not downloaded again.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from tools import BuildError
from tools.assets import sha256_of
from tools.folders import walk
from tools.pieces import Piece

#: Files of web/ that keep their address, since people and browsers know them by it.
AT_THE_TOP = (
    "_headers",
    "icon.svg",
    "index.html",
    "manifest.webmanifest",
    "sw.js",
    "webrerank.d.ts",
)

#: The name of a folder whose content is not known yet.
UNNAMED = "unnamed"

#: How many hex digits of the sha256 make a name.
DIGITS = 12

#: dist's own web/lib/site.js.
SITE_SCRIPT = """\
/** @file Where the files of this release are. Written by build.py; web/lib/site.js says more. */
const HERE = import.meta.url;
export const SITE = URL.canParse('../../../', HERE) ? new URL('../../../', HERE).href : '';
export const VENDOR = Object.freeze({
%s});
export const PIECES = Object.freeze(%s);
"""

ENTRY = """\
/** @file The public library. See webrerank.d.ts. */
export * from './%s/webrerank.js';
"""


def place_of(path: str) -> str:
    """Where a file of web/ or of assets.toml lies in dist/, before the folders have names."""
    if path in AT_THE_TOP or path.startswith("models/"):
        return path
    top, _, rest = path.partition("/")
    folder, slash, name = rest.partition("/")
    if top == "vendor" and slash:
        return f"vendor/{folder}/{UNNAMED}/{name}"
    return f"release/{UNNAMED}/{path}"


def name_vendor_folders(dist: Path) -> dict[str, str]:
    """Give the folders in vendor/ their names; gives their paths in dist/."""
    named = {}
    for folder in sorted((dist / "vendor").iterdir()):
        named[folder.name] = _name(folder / UNNAMED).relative_to(dist).as_posix()
    return named


def write_site_script(
    dist: Path, vendor: Mapping[str, str], pieces: Mapping[str, Sequence[Piece]]
) -> None:
    """Tell the code of the release where everything is."""
    lines = [f"  {name}: SITE + {json.dumps(path + '/')},\n" for name, path in vendor.items()]
    table = {path: [asdict(piece) for piece in of_file] for path, of_file in pieces.items()}
    script = SITE_SCRIPT % ("".join(lines), json.dumps(table, indent=1))
    _write(dist / place_of("lib/site.js"), script)


def name_release(dist: Path) -> str:
    """Give the release's folder its name and let webrerank.js and index.html lead to it."""
    folder = _name(dist / "release" / UNNAMED).relative_to(dist).as_posix()
    _write(dist / "webrerank.js", ENTRY % folder)
    page = dist / "index.html"
    text = page.read_text(encoding="utf-8")
    for start in ('"app/', '"styles/'):
        if start not in text:
            raise BuildError(f"web/index.html has no address that starts with {start[1:]}.")
        text = text.replace(start, f'"{folder}/{start[1:]}')
    _write(page, text)
    return folder


def _name(folder: Path) -> Path:
    """Rename a folder to the id of its content."""
    digest = hashlib.sha256()
    for file in walk(folder):
        digest.update(f"{file.relative_to(folder).as_posix()}\0{sha256_of(file)}\n".encode())
    return folder.rename(folder.with_name(digest.hexdigest()[:DIGITS]))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
