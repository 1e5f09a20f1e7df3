"""What runs elsewhere (GitHub's workflows, pre-commit) only calls commands that there are."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tools.command_line import parse_arguments

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PRE_COMMIT = ROOT / ".pre-commit-config.yaml"


def read(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return values


def check_command(line: str) -> None:
    """A line calls build.py, with arguments that it understands; or it sets up a bare machine."""
    words = shlex.split(line)
    if words[0] == "apt-get":
        return
    assert words[0] in ("python", "python3") and words[1] == "build.py", line
    assert parse_arguments(words[2:]).command == words[2]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_call_only_commands_that_there_are(path: Path) -> None:
    jobs = read(path)["jobs"]
    lines = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert lines
    for line in lines:
        check_command(line)
    for job in jobs.values():
        assert job["timeout-minutes"] <= 90
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            assert "@" in step.get("uses", "@")


def test_there_is_one_for_each_change_and_one_for_the_page() -> None:
    assert [path.stem for path in WORKFLOWS] == ["ci", "pages"]


def test_before_a_commit() -> None:
    [repository] = read(PRE_COMMIT)["repos"]
    assert repository["repo"] == "local", "nothing is fetched from elsewhere"
    for hook in repository["hooks"]:
        check_command(hook["entry"])


def test_a_command_that_there_is_not_is_noticed() -> None:
    with pytest.raises(SystemExit):
        check_command("python build.py chekc")
    with pytest.raises(AssertionError):
        check_command("npm test")
