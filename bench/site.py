"""One folder with everything the pages load, and servers for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.model import DIST, MODEL, MODEL_FOLDER, ROOT
from tools.assets import Cache, default_cache_folder, load_parts
from tools.serve import Server, make_server

SITE = ROOT / ".build" / "bench" / "site"
PEERS = ROOT / "bench" / "node_modules"
PYODIDE = ROOT / "node_modules" / "pyodide"

#: The peers need import maps and blob: modules, Playwright needs eval; our own policy forbids all
#: that. Nothing may be
#: loaded from elsewhere.
HEADERS = {
    "Content-Security-Policy": "default-src 'self' blob: data: 'unsafe-inline' 'unsafe-eval'"
}

ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def lay_out() -> None:
    """Put the site together anew, with hard links: dist/, the peers, and the pages."""
    shutil.rmtree(SITE, ignore_errors=True)
    _link(DIST, SITE / "webrerank")
    _link(DIST, SITE / "recorded")
    _record_runs(SITE / "recorded")
    _name_places(SITE / "places.js")
    _link(MODEL_FOLDER, SITE / "hub" / MODEL / "resolve" / "main")
    for package in ("@huggingface/transformers", "@localmode/transformers", "onnxruntime-web"):
        _link(PEERS / package / "dist", SITE / "peers" / package / "dist")
    _link(PYODIDE, SITE / "plain-pyodide")
    _add_numpy(SITE / "plain-pyodide")
    shutil.copytree(ROOT / "bench" / "pages", SITE / "bench")


def _record_runs(folder: Path) -> None:
    """Let the copy's session worker tell when it computes; the link to dist/ is cut first."""
    (worker,) = folder.glob("release/*/workers/session-worker.js")
    (ort,) = folder.glob("vendor/ort/*")
    script = (ROOT / "bench" / "pages" / "record-runs.js").read_text(encoding="utf-8")
    script = script.replace("./vendor/ort/", f"../../../vendor/ort/{ort.name}/")
    (worker.parent / "record-runs.js").write_text(script, encoding="utf-8")
    source = worker.read_text(encoding="utf-8")
    worker.unlink()
    worker.write_text(f"import './record-runs.js';\n{source}", encoding="utf-8")


def _name_places(script: Path) -> None:
    """Tell the pages where dist/ has what they start by hand: the folders are named by content."""
    (release,) = DIST.glob("release/*")
    address = f"/webrerank/{release.relative_to(DIST).as_posix()}/"
    script.write_text(
        f"export {{ VENDOR }} from '{address}lib/site.js';\n"
        f"export {{ PROTOCOL }} from '{address}lib/protocol.js';\n"
        f"export const RELEASE = '{address}';\n",
        encoding="utf-8",
    )


def _add_numpy(folder: Path) -> None:
    """The wheel that Pyodide's lock file pins, as it was verified for the build."""
    files = [file for part in load_parts(ROOT / "assets.toml") for file in part.files]
    (numpy,) = (file for file in files if "/numpy-" in file.path)
    shutil.copy2(Cache(default_cache_folder()).path(numpy), folder / Path(numpy.path).name)


def _link(source: Path, target: Path) -> None:
    def link(file: str, place: str) -> None:
        try:
            os.link(file, place)
        except OSError:
            shutil.copy2(file, place)

    shutil.copytree(source, target, copy_function=link)


@contextmanager
def served(*, isolated: bool) -> Iterator[Server]:
    """The site on a free port; cross-origin isolated or not."""
    server = make_server(SITE, "127.0.0.1", 0, {**HEADERS, **(ISOLATION if isolated else {})})
    server.start()
    try:
        yield server
    finally:
        server.stop()
