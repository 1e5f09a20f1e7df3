"""Values that a caller might give: texts of all kinds, JSON, and things that are neither."""

from __future__ import annotations

import datetime
import decimal
import fractions
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.nasty_texts import NASTY


class Refuses:
    """Every way to look at it raises, but the one that a failing test needs."""

    def _refuse(self, *_: object) -> Any:
        raise LookupError("SECRET")

    __bool__ = __contains__ = __eq__ = __float__ = __ge__ = __getattr__ = __getitem__ = _refuse
    __gt__ = __hash__ = __index__ = __int__ = __iter__ = __le__ = __len__ = __lt__ = _refuse
    __ne__ = _refuse

    def __repr__(self) -> str:
        return "SECRET"


class RefusingText(str):
    """A string, whatever its methods say."""

    strip = encode = join = __len__ = __str__ = __iter__ = Refuses._refuse  # type: ignore[assignment]


class RefusingList(Sequence[Any]):
    """A sequence that cannot be read."""

    __len__ = __getitem__ = Refuses._refuse


class ShortList(Sequence[Any]):
    """A sequence that ends before its length says."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: Any) -> str:
        if index:
            raise IndexError
        return "a"


class RefusingMapping(Mapping[str, Any]):
    """A mapping that cannot be read."""

    __len__ = __getitem__ = __iter__ = get = Refuses._refuse


class ChangingMapping(Mapping[str, Any]):
    """Another answer at each look; `looks` counts them."""

    def __init__(self) -> None:
        self.looks = 0

    def __getitem__(self, name: str) -> Any:
        self.looks += 1
        return "first" if self.looks == 1 else 5

    def __iter__(self) -> Iterator[str]:
        return iter(["text"])

    def __len__(self) -> int:
        return 1


def _cycle() -> list[Any]:
    cycle: list[Any] = []
    cycle.append(cycle)
    return cycle


#: Any code point, lone surrogates included, and what tokenizers stumble over.
texts = st.one_of(
    st.text(st.characters(codec=None), max_size=30),
    st.sampled_from([text for text in NASTY.values() if len(text) < 5000]),
    st.lists(
        st.sampled_from(
            ["\ud83d", "\ude00", "\0", "\u202e", "\u0301", "\U0002a6d6", "שָ", " ", "a"]
        ),
        max_size=12,
    ).map("".join),
)

#: Whole numbers and others, at the edges above all.
numbers = st.one_of(
    st.integers(-3, 12),
    st.sampled_from([2**31, 2**53, 2**63, 10**400, -(10**400), True, False, -0.0, 5e-324, 1e308]),
    st.floats(),
    st.builds(np.int64, st.integers(-3, 3)),
    st.builds(np.float32, st.floats(-1, 2, width=32)),
    st.sampled_from(
        [decimal.Decimal("0.5"), decimal.Decimal("sNaN"), fractions.Fraction(1, 2), 1j]
    ),
)

#: Neither text nor number nor JSON.
odd = st.one_of(
    st.binary(max_size=5),
    st.builds(Refuses),
    st.builds(RefusingText, st.just("SECRET")),
    st.builds(RefusingList),
    st.builds(ShortList),
    st.builds(RefusingMapping),
    st.builds(ChangingMapping),
    st.builds(_cycle),
    st.builds(np.zeros, st.integers(0, 3)),
    st.builds(MappingProxyType, st.just({"text": "a"})),
    st.sampled_from([object, object(), len, iter, ..., datetime.date(2026, 1, 1), range(3), {"a"}]),
)

json_like = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "title", "", "\ud800"]) | texts, inner, max_size=3
        )
    ),
    max_leaves=6,
)

anything = st.one_of(json_like, odd)

#: What the reranker accepts as a document.
documents = texts | st.fixed_dictionaries({"text": texts}, optional={"title": texts})
