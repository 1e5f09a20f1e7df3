"""Collects the messages of all errors from the sources, of both languages, and of the page that
lists them for readers."""

import ast
import functools
import html
import inspect
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.repo.sources import PYTHON, ROOT, WEB, name_of, python_modules, read, scripts
from webrerank import errors

PAGE = ROOT / "docs" / "errors.md"

#: Stands for what is put into a message at run time.
HOLE = "…"

#: How a cure begins.
IMPERATIVES = (
    *("Add", "Allow", "Call", "Check", "Choose", "Copy", "Create", "Export", "Give", "Install"),
    *("Keep", "Leave", "Load", "Reload", "Remove", "Report", "Serve", "Set", "Try", "Use", "Write"),
)

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, errors.RerankError)
}
RETRYABLE = {
    error.code: errors.error_for_code(error.code, "").retryable for error in CLASSES.values()
}


@dataclass(frozen=True)
class Message:
    """A message as the sources have it.

    Attributes:
        code: None if it is no constant.
        text: with HOLE for what is only known at run time; None if it is put together elsewhere.
        retryable: whether asking again can help.
    """

    place: str
    code: str | None
    text: str | None
    retryable: bool

    @property
    def happened(self) -> str:
        """What happened, and why."""
        sentences = sentences_of(self.text or "")
        return " ".join(sentences[: _cure_at(sentences)])

    @property
    def cure(self) -> str:
        """What to do: from the first sentence that asks for something."""
        sentences = sentences_of(self.text or "")
        return " ".join(sentences[_cure_at(sentences) :])


def sentences_of(text: str) -> list[str]:
    return re.split(r"(?<=[.!?]) (?=[A-Z])", text)


def _cure_at(sentences: list[str]) -> int:
    starts = [re.split(r"\W", sentence)[0] in IMPERATIVES for sentence in sentences]
    return starts.index(True) if True in starts else len(sentences)


@functools.cache
def messages() -> list[Message]:
    """All of them, in the order of their files."""
    return [*_script_messages(), *_python_messages()]


def _script_messages() -> Iterator[Message]:
    paths = [path for path in scripts() if path.relative_to(WEB).parts[0] in ("lib", "workers")]
    command = ["node", str(Path(__file__).with_suffix(".mjs")), *map(str, paths)]
    ran = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    for found in json.loads(ran.stdout):
        code, retryable, name = found["code"], found["retryable"], name_of(Path(found["file"]))
        if found["text"] is None and name == "web/lib/errors.js":  # made of another one
            continue
        usual = RETRYABLE.get(code, False)
        place = f"{name}:{found['line']}"
        yield Message(place, code, found["text"], usual if retryable is None else retryable)


def _python_messages() -> Iterator[Message]:
    for path in python_modules().values():
        if path == PYTHON / "errors.py":
            continue
        tree = ast.parse(read(path))
        constants = _constants_of(tree)
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                continue
            if kind := CLASSES.get(node.func.id):
                said = {str(word.arg): word.value for word in node.keywords}
                option = _texts_of(said["option"], {})[0] if "option" in said else ""
                retryable = (
                    ast.literal_eval(said["retryable"]) if "retryable" in said else kind.retryable
                )
                for text in _texts_of(node.args[0], constants):
                    known = None if text == HOLE else text.replace("{option}", option)
                    yield Message(f"{name_of(path)}:{node.lineno}", kind.code, known, retryable)


def _constants_of(tree: ast.Module) -> dict[str, str]:
    """The texts that a module has under names of its own."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }


def _texts_of(node: ast.expr, constants: dict[str, str]) -> list[str]:
    """All texts that an expression can be."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.Name):
        return [constants.get(node.id, HOLE)]
    if isinstance(node, ast.FormattedValue):
        return _texts_of(node.value, constants) if isinstance(node.value, ast.Name) else [HOLE]
    if isinstance(node, ast.JoinedStr):
        return ["".join(_texts_of(part, constants)[0] for part in node.values)]
    if isinstance(node, ast.IfExp):
        return [*_texts_of(node.body, constants), *_texts_of(node.orelse, constants)]
    return [HOLE]


def listed() -> dict[str, list[str]]:
    """The rows of the page's tables, by code."""
    rows: dict[str, list[str]] = {}
    code = ""
    for line in read(PAGE).splitlines():
        if heading := re.match(r"## `(\w+)`", line):
            code = heading[1]
            rows[code] = []
        is_row = line.startswith("|") and not re.match(r"\|( what happened|[-| ]+$)", line)
        if code and is_row:
            rows[code].append(line)
    return rows


def row_for(message: Message) -> str:
    """The line of the page's table: what happened, what to do, and if asking again can help."""
    again = "yes" if message.retryable else "no"
    cells = [html.escape(cell, quote=False) for cell in (message.happened, message.cure, again)]
    return f"| {' | '.join(cells)} |"


def write_page() -> None:
    """Bring the page's tables up to date; what stands around them is written by hand."""
    code = ""
    lines: list[str] = []
    for line in read(PAGE).splitlines():
        if heading := re.match(r"## `(\w+)`", line):
            code = heading[1]
        is_row = code and line.startswith("|") and not re.match(r"\|( what happened|[-| ]+$)", line)
        if not is_row:
            lines.append(line)
        if re.match(r"\|[-| ]+$", line):
            lines += dict.fromkeys(row_for(one) for one in messages() if one.code == code)
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_page()
