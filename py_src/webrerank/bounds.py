"""What is known of a whole number in a graph: at most slope * L + offset, for L tokens.

The arithmetic of such bounds, after what ONNX's operators do. Knows no graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from webrerank.onnx_graph import Constant


@dataclass(frozen=True, slots=True)
class Most:
    """At most slope * L + offset, for L tokens; exactly that if `exact`."""

    slope: int
    offset: int
    exact: bool = False


#: What is known of a value: a bound for all its numbers, or for each number of a short vector.
Known: TypeAlias = Most | tuple[Most | None, ...] | None

#: A bound beyond this is of no use; it keeps the numbers small that a graph can make up.
_FAR = 2**40

#: Longer vectors are no shapes, and get one bound for all their numbers.
_SHORT = 16

FLAG = Most(0, 1)
LENGTH = Most(1, 0, exact=True)


def known_of(constant: Constant) -> Known:
    """What its values say; nothing if they are not at hand."""
    values = constant.values
    if values is None:
        return None
    if len(constant.dims) == 1 and len(values) <= _SHORT:
        return tuple(Most(0, value, exact=True) for value in values)
    return Most(0, max(values), exact=len(values) == 1)


def one_bound(known: Known) -> Most | None:
    """One bound for all numbers."""
    if not isinstance(known, tuple):
        return known
    bounds = [bound for bound in known if bound is not None]
    if not bounds or len(bounds) < len(known):
        return None
    return bounds[0] if len(bounds) == 1 else _largest(bounds)


def only_bound(known: Known) -> Most | None:
    """The bound of a number, or of a vector of one."""
    return known[0] if isinstance(known, tuple) and len(known) == 1 else one_bound(known)


def whole_number(known: Known) -> int | None:
    """The one whole number that a value always is."""
    only = only_bound(known)
    return only.offset if only and only.exact and only.slope == 0 else None


def number_at(vector: tuple[Most | None, ...], place: Most | None) -> Most | None:
    """One number of a vector; None if its place is not known."""
    index = whole_number(place)
    return vector[index] if index is not None and -len(vector) <= index < len(vector) else None


def _largest(bounds: Sequence[Most]) -> Most:
    best = max(bounds, key=lambda bound: (bound.slope, bound.offset))
    return Most(best.slope, best.offset)


def each_of(work: Callable[[Most, Most], Most | None], inputs: Sequence[Known]) -> Known:
    """Apply to two values; to short vectors number by number."""
    if len(inputs) != 2:
        return None
    one, other = inputs
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        pairs = zip(one, other, strict=True)
        return tuple(a and b and work(a, b) for a, b in pairs)
    left, right = one_bound(one), one_bound(other)
    if left is None or right is None:
        return None
    result = work(left, right)
    wide = next((value for value in inputs if isinstance(value, tuple)), None)
    return (result,) if result and wide is not None and len(wide) == 1 else result


def _add(one: Most, other: Most) -> Most | None:
    slope = one.slope + other.slope
    exact = one.exact and other.exact
    return Most(slope, one.offset + other.offset, exact) if slope <= 1 else None


def _subtract(one: Most, other: Most) -> Most | None:
    if not other.exact:  # flags and counts are not below zero
        return Most(one.slope, one.offset)
    if other.slope and not one.exact:
        return None
    return Most(one.slope - other.slope, one.offset - other.offset, one.exact)


def _multiply(one: Most, other: Most) -> Most | None:
    for factor, value in ((one, other), (other, one)):
        if factor.slope == 0 and factor.offset in (0, 1):
            exact = factor.exact and value.exact
            return Most(value.slope, value.offset, exact) if factor.offset else Most(0, 0, exact)
    product = one.offset * other.offset
    if one.slope or other.slope or abs(product) > _FAR:
        return None
    return Most(0, product, one.exact and other.exact)


def _smaller(one: Most, other: Most) -> Most:
    best = min((one, other), key=lambda bound: (bound.slope, bound.offset))
    return Most(best.slope, best.offset)


ARITHMETIC: dict[str, Callable[[Most, Most], Most | None]] = {
    "Add": _add,
    "Sub": _subtract,
    "Mul": _multiply,
    "Min": _smaller,
    "Max": lambda one, other: _largest([one, other]),
}


def counted(known: Known) -> Known:
    """The sum of flags or ones along the tokens."""
    bound = one_bound(known)
    return Most(bound.offset, 0) if bound and bound.slope == 0 and bound.offset in (0, 1) else None


def counted_up(inputs: Sequence[Known]) -> Known:
    """From, up to but without, in steps of."""
    if len(inputs) != 3 or whole_number(inputs[2]) != 1:
        return None
    end = one_bound(inputs[1])
    return end and Most(end.slope, end.offset - 1)


def clipped(inputs: Sequence[Known]) -> Known:
    """Not above the third input; in old graphs, which have none, the bound is an attribute."""
    if len(inputs) < 3:
        return None
    bounds = [bound for bound in (one_bound(inputs[0]), one_bound(inputs[2])) if bound]
    return _smaller(bounds[0], bounds[-1]) if bounds else None


def either(inputs: Sequence[Known]) -> Known:
    """The second input or the third, chosen number by number."""
    bounds = [one_bound(known) for known in inputs[1:]]
    known = [bound for bound in bounds if bound]
    return _largest(known) if len(known) == 2 else None


def joined(inputs: Sequence[Known]) -> Known:
    """Numbers and vectors one behind the other."""
    vector: list[Most | None] = []
    for known in inputs:
        vector += known if isinstance(known, tuple) else [known]
    return tuple(vector) if len(vector) <= _SHORT else None
