"""Dependency arrows point inward only:

app -> webrerank.js -> lib -> protocol <- workers -> worker_api -> core <- adapters
"""

import re
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.repo.sources import (
    PYTHON,
    WEB,
    python_imports,
    python_modules,
    read,
    script_imports,
    scripts,
    without_comments,
)

MODULES = python_modules()
PYODIDE_ONLY = {
    "webrerank.worker_api",
    *(name for name in MODULES if name.startswith("webrerank.adapters.pyodide_")),
}
OUTER = {name for name in MODULES if name.startswith("webrerank.adapters")} | PYODIDE_ONLY
CORE = sorted(set(MODULES) - OUTER)

SCRIPTS = {path.relative_to(WEB).as_posix(): script_imports(path) for path in scripts()}


def in_folder(folder: str) -> list[str]:
    return [name for name in SCRIPTS if name.startswith(f"{folder}/")]


def top(module: str) -> str:
    return module.partition(".")[0]


def assert_no_cycle(graph: Mapping[str, set[str]]) -> None:
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"imports in a circle: {' -> '.join((*trail, name))}"
        if name in done or name not in graph:
            return
        for imported in graph[name]:
            visit(imported, (*trail, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def test_what_is_looked_at_is_there() -> None:
    assert {"webrerank", "webrerank.reranker", "webrerank.pairs"} <= set(CORE)
    assert len(PYODIDE_ONLY) == 3
    assert "lib/engine.js" in SCRIPTS["lib/reranker.js"]
    assert "lib/protocol.js" in SCRIPTS["workers/serve.js"]


@pytest.mark.parametrize("name", MODULES)
def test_only_its_adapters_know_the_platform(name: str) -> None:
    foreign = {top(module) for module in python_imports(MODULES[name])}
    if name not in PYODIDE_ONLY:
        assert not foreign & {"js", "pyodide", "pyodide_js"}
    if name != "webrerank.adapters.native":
        assert not foreign & {"onnxruntime", "tokenizers"}
    if name != "webrerank.adapters.kernel":
        assert "wasmtime" not in foreign
    known = {"webrerank", "numpy", "js", "pyodide", "onnxruntime", "tokenizers", "wasmtime"}
    assert foreign - known <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("name", CORE)
def test_the_core_never_imports_an_adapter(name: str) -> None:
    imports = python_imports(MODULES[name], lazy=name != "webrerank")
    assert not imports & OUTER


def test_adapters_do_not_know_each_other() -> None:
    for name in OUTER - {"webrerank.worker_api"}:
        assert not python_imports(MODULES[name]) & OUTER, name


def test_no_python_module_imports_itself_by_a_detour() -> None:
    graph = {name: python_imports(path, lazy=False) for name, path in MODULES.items()}
    # A package is imported before its modules; that is no circle of theirs.
    assert_no_cycle({name: imports - {"webrerank"} for name, imports in graph.items()})


def test_importing_the_package_imports_no_native_library() -> None:
    code = (
        "import sys, webrerank; found = {'onnxruntime', 'tokenizers'} & set(sys.modules); "
        "sys.exit(str(found) if found else 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=PYTHON.parent, check=False, capture_output=True
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", in_folder("app"))
def test_the_page_knows_only_the_public_library(name: str) -> None:
    for imported in SCRIPTS[name]:
        assert imported == "webrerank.js" or imported.startswith("app/")


@pytest.mark.parametrize("name", in_folder("lib"))
def test_the_library_knows_neither_page_nor_workers(name: str) -> None:
    for imported in SCRIPTS[name]:
        assert imported.startswith(("lib/", "vendor/"))


@pytest.mark.parametrize("name", in_folder("workers"))
def test_workers_know_no_page_and_no_page_end_of_a_worker(name: str) -> None:
    seen: set[str] = set()
    ahead = [name]
    while ahead:
        current = ahead.pop()
        if current not in seen:
            seen.add(current)
            ahead += SCRIPTS.get(current, set())
    for imported in seen:
        assert imported.startswith(("workers/", "lib/", "vendor/"))
    page_ends = {"worker-client", "engine", "reranker", "models", "request", "session-workers"}
    assert not {imported for imported in seen if imported[4:-3] in page_ends}


def test_the_entry_is_a_list_of_what_the_library_has() -> None:
    assert all(imported.startswith("lib/") for imported in SCRIPTS["webrerank.js"])
    assert re.sub(
        r"export \{[^}]*\} from '\./lib/[\w-]+\.js';",
        "",
        without_comments(read(WEB / "webrerank.js")),
    ).isspace()


@pytest.mark.parametrize("name", ["lib/protocol.js", "lib/errors.js", "lib/version.js"])
def test_the_contracts_between_page_and_worker_import_nothing(name: str) -> None:
    assert SCRIPTS[name] == set()


def test_no_script_imports_itself_by_a_detour() -> None:
    assert_no_cycle(SCRIPTS)


#: `document` alone is also a reranked document, and `window` a field of a result.
DOM = re.compile(
    r"\bwindow\.|\b(globalThis|self)\.(window|document)\b|\b(local|session)Storage\b|\balert\("
    r"|\bdocument\.(querySelector|createElement|getElement|body|head|cookie|title|addEvent|write)"
    r"|\bHTML\w*Element\b|\brequestAnimationFrame\b"
)


@pytest.mark.parametrize("name", [*in_folder("lib"), *in_folder("workers"), "webrerank.js"])
def test_library_and_workers_do_not_touch_the_dom(name: str) -> None:
    assert not DOM.search(without_comments(read(WEB / name)))
