"""The mutants that `build.py mutate` makes: real changes, in the right place, that can be run."""

import ast
from pathlib import Path

import pytest

from tests.repo.sources import PYTHON, ROOT, WEB, name_of, read
from tools.mutate.javascript import javascript_mutants
from tools.mutate.mutant import accepted
from tools.mutate.python_mutants import python_mutants

SAMPLE = '''
LIMIT = 5
def f(a: int = 0) -> str:
    """Says é - or 5."""
    é = "é" + str(a); a += 2
    if a < 3 and not é:
        raise ValueError(f"{a - 1}")
    return min(é, "a")
'''


def test_python() -> None:
    changes = {mutant.key.partition(": ")[2] for mutant in python_mutants(SAMPLE, "f.py")}
    assert changes == {
        "def f(a: int = 0) -> str: -> def f(a: int = 1) -> str:",
        'é = "é" + str(a); a += 2 -> é = "é" + str(a); pass',
        'é = "é" + str(a); a += 2 -> é = "é" + str(a); a += 3',
        "if a < 3 and not é: -> if a <= 3 and not é:",
        "if a < 3 and not é: -> if a < 4 and not é:",
        "if a < 3 and not é: -> if a < 3 or not é:",
        "if a < 3 and not é: -> if a < 3 and é:",
        "if a < 3 and not é: -> if (not (a < 3 and not é)):",
        'raise ValueError(f"{a - 1}") -> pass',
        'raise ValueError(f"{a - 1}") -> raise ValueError(f"{a + 1}")',
        'raise ValueError(f"{a - 1}") -> raise ValueError(f"{a - 2}")',
        'return min(é, "a") -> return None',
        'return min(é, "a") -> return max(é, "a")',
    }


@pytest.mark.parametrize("path", sorted(PYTHON.glob("*.py")), ids=lambda path: path.name)
def test_python_mutants_can_be_compiled_and_differ(path: Path) -> None:
    text = read(path)
    for mutant in python_mutants(text, name_of(path)):
        changed = mutant.apply(text)
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(text)), mutant.key


def test_javascript() -> None:
    path = WEB / "lib" / "worker-client.js"
    mutants = javascript_mutants(read(path), name_of(path))
    assert len(mutants) > 30
    assert all(mutant.apply(read(path)) != read(path) for mutant in mutants)
    assert any(
        mutant.key.endswith("if (this.#ended) return; -> if (!(this.#ended)) return;")
        for mutant in mutants
    )


def test_what_is_accepted_has_a_reason_and_a_file() -> None:
    for key, why in accepted().items():
        assert len(why) > 20, key
        assert (ROOT / key.partition(" ")[0]).is_file(), key
