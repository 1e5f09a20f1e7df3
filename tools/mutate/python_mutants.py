"""Small changes of a Python file: comparisons, arithmetic, logic, numbers, statements left out."""

import ast
from collections.abc import Iterator

from tools.mutate.mutant import Mutant, make_mutant

COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}
OPERATORS: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "+"),
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}

Change = tuple[int, int, str]


class _Finder(ast.NodeVisitor):
    def __init__(self, text: str, file: str) -> None:
        self.found: list[Mutant] = []
        self._text = text
        self._file = file
        self._places: list[str] = []
        self._statement: ast.stmt | None = None
        # A column counts bytes.
        lines = text.encode().split(b"\n")
        self._starts = [0]
        for line in lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._bytes = text.encode()

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.AnnAssign) and node.value is None:
            return
        outer = self._statement
        if isinstance(node, ast.stmt):
            self._statement = node
        for start, end, new in self._changes(node):
            self._add(start, end, new)
        places = self._places
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self._places = [*places, node.name]
        for child in _read_at_run_time(node):
            self.visit(child)
        self._places, self._statement = places, outer

    def _add(self, start: int, end: int, new: str) -> None:
        assert self._statement is not None
        statement = self._statement
        body = getattr(statement, "body", None)
        # Of an `if` or a loop the head alone, not what is in it.
        last = body[0].lineno - 1 if body else (statement.end_lineno or statement.lineno)
        lines = (statement.lineno, max(statement.lineno, last))
        place = ".".join(self._places) or "module"
        self.found.append(make_mutant(self._text, self._file, place, lines, (start, end), new))

    def _span(self, node: ast.AST) -> tuple[int, int]:
        at = self._starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        end = self._starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
        return len(self._bytes[:at].decode()), len(self._bytes[:end].decode())

    def _between(self, left: ast.AST, right: ast.AST, signs: tuple[str, str]) -> Iterator[Change]:
        start, end = self._span(left)[1], self._span(right)[0]
        at = self._text.find(signs[0], start, end)
        if at >= 0:
            yield at, at + len(signs[0]), signs[1]

    def _changes(self, node: ast.AST) -> Iterator[Change]:
        if isinstance(node, ast.stmt):
            yield from self._of_statement(node)
        elif isinstance(node, (ast.Compare, ast.BinOp, ast.BoolOp)):
            yield from self._of_operation(node)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
            start = self._span(node)[0]  # the sign alone: brackets may follow
            yield start, start + (3 if isinstance(node.op, ast.Not) else 1), ""
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield *self._span(node), str(not node.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            yield *self._span(node), str(node.value + 1)
        elif isinstance(node, ast.Name) and node.id in NAMES:
            yield *self._span(node), NAMES[node.id]
        elif isinstance(node, ast.IfExp):
            yield self._negated(node.test)

    def _of_operation(self, node: ast.Compare | ast.BinOp | ast.BoolOp) -> Iterator[Change]:
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for place, operation in enumerate(node.ops):
                signs = COMPARISONS[type(operation)]
                yield from self._between(sides[place], sides[place + 1], signs)
        elif isinstance(node, ast.BoolOp):
            signs = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            for left, right in zip(node.values, node.values[1:], strict=False):
                yield from self._between(left, right, signs)
        elif type(node.op) in OPERATORS and not _is_text(node.left) and not _is_text(node.right):
            yield from self._between(node.left, node.right, OPERATORS[type(node.op)])

    def _of_statement(self, node: ast.stmt) -> Iterator[Change]:
        if isinstance(node, (ast.If, ast.While)):
            yield self._negated(node.test)
        elif isinstance(node, ast.Return) and node.value and not _is_none(node.value):
            yield *self._span(node.value), "None"
        elif isinstance(node, (ast.Raise, ast.AugAssign, ast.Delete)) or _is_call(node):
            yield *self._span(node), "pass"
        elif isinstance(node, (ast.Continue, ast.Break)):
            yield *self._span(node), "break" if isinstance(node, ast.Continue) else "continue"

    def _negated(self, test: ast.expr) -> Change:
        start, end = self._span(test)
        return start, end, f"(not ({self._text[start:end]}))"


def _read_at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """The children but for annotations, sizes that were chosen, and what only guards: `strict`."""
    for name, value in ast.iter_fields(node):
        if isinstance(node, ast.keyword) and node.arg == "strict":
            continue
        if isinstance(node, ast.Assign) and _is_size(node):
            continue
        if name in ("annotation", "returns") or (name == "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _is_size(node: ast.Assign) -> bool:
    """Whether a name in capitals gets a number."""
    named = all(isinstance(target, ast.Name) and target.id.isupper() for target in node.targets)
    return named and isinstance(node.value, ast.Constant)


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Await))


def python_mutants(text: str, file: str) -> list[Mutant]:
    """All changes of a file that can be compiled, in the order of their places."""
    finder = _Finder(text, file)
    finder.visit(ast.parse(text))
    mutants = {mutant.key: mutant for mutant in finder.found}
    return sorted(mutants.values(), key=lambda mutant: mutant.start)
