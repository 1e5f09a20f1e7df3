"""Cases that once failed, run again: what the fuzzer found stays mended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import Playwright

from tests.fuzz.case import Case, Kind
from tests.fuzz.kinds import KINDS, make_kind
from tests.fuzz.lab import Lab, judge
from tests.fuzz.oracle import Oracle

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))


@pytest.fixture(scope="module")
def lab(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(playwright, tmp_path_factory.mktemp("fuzz"))
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def kinds(lab: Lab) -> Iterator[dict[str, Kind]]:
    oracle = Oracle()
    yield {name: make_kind(name, lab, oracle) for name in KINDS}
    oracle.close()


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_what_failed_once(kinds: dict[str, Kind], path: Path) -> None:
    case = Case.load(path)
    assert kinds[case.kind].run(case) == "", case.wrong


@pytest.mark.parametrize("name", [name for name in KINDS if name != "records"])
def test_a_seed_makes_the_same_case_again(kinds: dict[str, Kind], name: str) -> None:
    first, second, other = (kinds[name].make(Random(seed)) for seed in ("1", "1", "2"))
    assert json.dumps(first.edits) == json.dumps(second.edits) != json.dumps(other.edits)


def test_the_fuzzer_sees_what_is_wrong() -> None:
    """It is no use if it calls all things right."""
    assert judge({"value": 1}) == ""
    refusal = {"typed": True, "code": "model_load", "message": "m", "cause": "", "name": "n"}
    assert judge({"error": refusal, "at": "a"}) == ""
    assert judge({"error": {**refusal, "code": "internal"}, "at": "a"})
    assert judge({"error": {**refusal, "code": "unheard_of"}, "at": "a"})
    assert judge({"error": {**refusal, "typed": False}, "at": "a"})
    assert judge({"late": 5, "at": "a"})
    assert judge({"crash": "gone"})
