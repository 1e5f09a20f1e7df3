"""What a call that did nothing says that it did."""

from webrerank.results import Usage


def test_it_counts_nothing() -> None:
    assert not any(vars(Usage()).values())
