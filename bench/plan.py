"""How much is measured: the full run, and a small one that shows that everything works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Sizes of one run."""

    rounds: int = 5
    most_documents: int | None = None  #: cuts the timed sets
    document_counts: tuple[int, ...] = (10, 25, 50, 100)
    token_lengths: tuple[int, ...] = (32, 64, 128, 256, 512)
    session_counts: tuple[int, ...] = (1, 2, 3)
    tuning_batches: tuple[int, ...] = (1, 4, 8, 16)
    tuning_rounds: int = 2
    start_rounds: int = 7
    first_list_documents: int = 10


def make_plan(quick: bool, rounds: int | None) -> Plan:
    """The full plan or the quick one, with another number of rounds if asked for."""
    if quick:
        return Plan(
            rounds=rounds or 2,
            most_documents=8,
            document_counts=(4, 8),
            token_lengths=(32, 64),
            session_counts=(1, 2),
            tuning_batches=(8,),
            tuning_rounds=1,
            start_rounds=2,
            first_list_documents=4,
        )
    return Plan(rounds=rounds or 5)
