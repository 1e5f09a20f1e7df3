"""Change what the product is given, at random, and see that nothing but an answer or a coded
refusal comes of it. Run by `python build.py fuzz`."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

from tests.fuzz.case import Case, Kind, minimise
from tests.fuzz.kinds import KINDS, make_kind
from tests.fuzz.lab import Lab, opened_lab
from tests.fuzz.oracle import Oracle

ROOT = Path(__file__).resolve().parents[2]

#: Where cases that failed are kept; git ignores it.
FOUND = ROOT / "test-results" / "fuzz"


class Fuzzer:
    """Runs cases and keeps those that fail."""

    def __init__(self, lab: Lab, oracle: Oracle) -> None:
        self._lab = lab
        self._oracle = oracle
        self._kinds: dict[str, Kind] = {}
        self.ran: Counter[str] = Counter()
        self.families: Counter[str] = Counter()

    def kind(self, name: str) -> Kind:
        if name not in self._kinds:
            self._kinds[name] = make_kind(name, self._lab, self._oracle)
        return self._kinds[name]

    def try_one(self, name: str, seed: str) -> None:
        """Make a case from a seed and run it."""
        case = self.kind(name).make(Random(seed))
        self._lab.on_hang = lambda: print(case.save(FOUND))
        self.ran[name] += 1
        wrong = self.kind(name).run(case)
        if not wrong:
            return
        case = replace(case, wrong=wrong)
        self.families[case.family] += 1
        if self.families[case.family] == 1:  # its like are counted only
            case = minimise(case, self.kind(name))
            print(f"\n{case.save(FOUND)} (seed {seed})\n  {case.wrong}", flush=True)
        self._lab.renew()

    def replay(self, path: Path) -> str:
        case = Case.load(path)
        return self.kind(case.kind).run(case)


def fuzz(fuzzer: Fuzzer, names: list[str], seed: str, minutes: float) -> None:
    """Go through the kinds by turns, as many cases as there is time for."""
    ends = time.monotonic() + minutes * 60
    count = 0
    while time.monotonic() < ends:
        name = names[count % len(names)]
        for _ in range(20):  # so many of one kind in a row, as they share what was opened
            if time.monotonic() < ends:
                fuzzer.try_one(name, f"{seed}/{name}/{fuzzer.ran[name]}")
        count += 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="build.py fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5, help="how long; default 5")
    parser.add_argument("--seed", help="the same seed makes the same cases; default: the time")
    parser.add_argument("--only", choices=KINDS, action="append", help="this kind; may be repeated")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run one kept case again")
    return parser.parse_args()


def main() -> int:
    options = parse_arguments()
    seed = options.seed or str(int(time.time()))
    oracle = Oracle()
    with opened_lab() as lab:
        fuzzer = Fuzzer(lab, oracle)
        try:
            if options.replay:
                wrong = fuzzer.replay(options.replay)
                print(wrong or "nothing is wrong")
                return 1 if wrong else 0
            print(f"seed {seed}", flush=True)
            fuzz(fuzzer, options.only or list(KINDS), seed, options.minutes)
        finally:
            oracle.close()
    for family, count in fuzzer.families.most_common():
        print(f"{count:5} x {family}")
    print(f"seed {seed}: " + ", ".join(f"{count} {name}" for name, count in fuzzer.ran.items()))
    return 1 if fuzzer.families else 0


if __name__ == "__main__":
    sys.exit(main())
