"""Finds and reads the repository's own files, for the tests on them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "py_src" / "webrerank"
WEB = ROOT / "web"

#: Made by tools, not by people.
GENERATED = {"dist", "node_modules", "__pycache__", "test-results", "results", "scratch"}


def own_files(folder: Path = ROOT) -> Iterator[Path]:
    """All files but generated and hidden ones."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in GENERATED:
            continue
        if path.is_dir():
            yield from own_files(path)
        else:
            yield path


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def python_modules() -> dict[str, Path]:
    """The package's modules by their dotted name."""
    modules = {}
    for path in sorted(PYTHON.rglob("*.py")):
        parts = path.relative_to(PYTHON.parent).with_suffix("").parts
        modules[".".join(parts).removesuffix(".__init__")] = path
    return modules


def python_imports(path: Path, *, lazy: bool = True) -> set[str]:
    """The modules that a file imports; without `lazy`, only those that importing it imports."""
    tree = ast.parse(read(path))
    nodes = ast.walk(tree) if lazy else iter(tree.body)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.add(str(node.module))
    return found


def without_comments(script: str) -> str:
    """JavaScript without its comments; JSDoc's import('...') are only types."""
    return re.sub(r"/\*.*?\*/|(?<![:'\"`\\])//[^\n]*", "", script, flags=re.DOTALL)


def scripts() -> list[Path]:
    """Every JavaScript file of web/."""
    return sorted(WEB.rglob("*.js"))


_IMPORT = re.compile(
    r"""(?:^(?:import|export)\b[^;'"]*?\bfrom\s*|^import\s*|\bimport\(\s*)['"]([^'"]+)['"]""",
    flags=re.MULTILINE,
)


def script_imports(path: Path) -> set[str]:
    """What a script imports, as paths from web/; a type in a comment is no import."""
    found = _IMPORT.findall(without_comments(read(path)))
    assert all(one.startswith(".") for one in found), f"{path} imports a bare name: {found}"
    folder = PurePosixPath(path.relative_to(WEB).parent.as_posix())
    return {_normal(folder / one) for one in found}


def _normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)
