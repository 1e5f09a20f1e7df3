"""How many tokens the position tables of a graph have rows for.

Models that learn a vector for each position look it up in a table. Some count from 0, some from
behind the padding id (RoBERTa and what came of it), so the number of rows alone does not say how
many tokens fit. This file follows, through the operators of the graph, the largest whole number
that a value can hold for L tokens, in the form slope * L + offset, up to the places where it
chooses rows of a constant. What it cannot follow is left out: it gives no limit then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from webrerank.bounds import (
    ARITHMETIC,
    FLAG,
    LENGTH,
    Known,
    Most,
    clipped,
    counted,
    counted_up,
    each_of,
    either,
    joined,
    known_of,
    number_at,
    one_bound,
    only_bound,
    whole_number,
)
from webrerank.onnx_graph import Constant, Graph, Node

#: Operators that move numbers about, or change their type only.
_SAME = frozenset(
    [
        *("Cast", "Identity", "Unsqueeze", "Squeeze", "Reshape", "Expand", "Transpose"),
        *("Flatten", "Tile", "Dropout"),
    ]
)
#: Operators whose answers are true or false.
_FLAGS = frozenset(
    [
        *("Equal", "Not", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"),
        *("And", "Or", "Xor"),
    ]
)
#: Those of them and others that give what has the shape of their first input.
_SHAPE_KEPT = _FLAGS | frozenset(["Cast", "Identity", "CumSum", "Dropout"])
#: Operators that give a constant in another form, row by row.
_CONSTANT_KEPT = frozenset(["Cast", "Identity", "DequantizeLinear"])
#: Operators that choose rows of their first input by their second.
_LOOKUPS = ("Gather", "GatherBlockQuantized")


def most_tokens(graph: Graph, first_position: int = 0) -> int | None:
    """Give the most tokens that all position tables have rows for; None if none says.

    Args:
        first_position: what `position_ids` begin with, if the graph wants to be fed them.
    """
    return min(_Walk(graph, first_position).limits, default=None)


class _Walk:
    """One pass over the operators, from the inputs on."""

    def __init__(self, graph: Graph, first_position: int) -> None:
        self.limits: list[int] = []
        self._graph = graph
        self._known: dict[str, Known] = {}
        self._shapes: dict[str, tuple[Most | None, ...]] = {}
        self._constants = dict(graph.constants)
        for name, constant in graph.constants.items():
            self._known[name] = known_of(constant)
        for value in graph.inputs:
            if value.dims is not None and len(value.dims) == 2:
                rows, tokens = value.dims
                self._shapes[value.name] = (
                    None if rows is None else Most(0, rows, exact=True),
                    LENGTH if tokens is None else Most(0, tokens, exact=True),
                )
        self._known["attention_mask"] = FLAG
        self._known["position_ids"] = Most(1, first_position - 1)
        for node in graph.nodes:
            self._visit(node)

    def _visit(self, node: Node) -> None:
        if not node.outputs or len(node.inputs) < (2 if node.op in _LOOKUPS else 1):
            return
        inputs = [self._known.get(name) for name in node.inputs]
        first = node.inputs[0]
        known: Known = None
        if node.op in _SAME:
            known = inputs[0]
        elif node.op in _FLAGS:
            known = FLAG
        elif node.op in ARITHMETIC:
            known = each_of(ARITHMETIC[node.op], inputs)
        elif handler := _HANDLERS.get(node.op):
            known = handler(self, node, inputs)
        if known is not None:
            self._known[node.outputs[0]] = known
        if node.op in _CONSTANT_KEPT and first in self._constants:
            self._constants[node.outputs[0]] = self._constants[first]
        if node.op in _SHAPE_KEPT and first in self._shapes:
            self._shapes[node.outputs[0]] = self._shapes[first]

    def limit(self, last: Known, rows: int) -> None:
        """Note that a constant has this many rows, of which `last` is the last one taken."""
        if isinstance(last, Most) and last.slope == 1:
            self.limits.append(rows - 1 - last.offset)

    def look_up(self, node: Node, inputs: Sequence[Known]) -> Known:
        data, index = (*inputs, None, None)[:2]
        axis = self.number(node, "axis", 0)
        constant = self._constants.get(node.inputs[0])
        if constant and -len(constant.dims) <= axis < len(constant.dims):
            self.limit(index, constant.dims[axis])
        if not isinstance(data, tuple):
            return data
        # From a shape, which is a vector, one number is taken as a rule.
        chosen = index if isinstance(index, tuple) else (index,)
        numbers = tuple(number_at(data, place) for place in chosen)
        return (
            numbers if isinstance(index, tuple) and self._has_axis(node.inputs[1]) else numbers[0]
        )

    def _has_axis(self, name: str) -> bool:
        constant = self._constants.get(name)
        return constant is None or bool(constant.dims)

    def cut(self, node: Node, inputs: Sequence[Known]) -> Known:
        data, starts, ends, axes = (*inputs, None, None, None, None)[:4]
        constant = self._constants.get(node.inputs[0])
        if isinstance(data, tuple) and not (constant and len(constant.dims) > 1):
            first, last = whole_number(starts), whole_number(ends)
            return None if first is None or last is None else data[first:last]
        end, axis = only_bound(ends), 0 if axes is None else whole_number(axes)
        if constant is None or axis is None or end is None or end.slope != 1:
            return one_bound(data)
        if -len(constant.dims) <= axis < len(constant.dims):
            self.limit(Most(1, end.offset - 1), constant.dims[axis])
        values = constant.values
        if values and values[-1] - values[0] == len(values) - 1:  # 0, 1, 2, ... up to the length
            return Most(1, end.offset - 1 + values[0])
        return one_bound(data)

    def shape(self, node: Node, _inputs: Sequence[Known]) -> Known:
        dims = self._shapes.get(node.inputs[0])
        if dims is None:
            return None
        end = self.number(node, "end", len(dims))
        return dims[self.number(node, "start", 0) : end]

    def fused_embeddings(self, node: Node, inputs: Sequence[Known]) -> Known:
        """ONNX Runtime's EmbedLayerNormalization: positions count from 0 if they are not given."""
        table = self._constants.get(node.inputs[3]) if len(node.inputs) > 3 else None
        given = len(node.inputs) > 8 and bool(node.inputs[8])
        if table and table.dims:
            self.limit(one_bound(inputs[8]) if given else Most(1, -1), table.dims[0])
        return None

    def filled(self, node: Node, _inputs: Sequence[Known]) -> Known:
        value = self._graph.attributes(node).get("value")
        if not isinstance(value, Constant):
            return Most(0, 0, exact=True)
        return one_bound(known_of(value))

    def number(self, node: Node, name: str, otherwise: int) -> int:
        value = self._graph.attributes(node).get(name)
        return value[0] if isinstance(value, tuple) and value else otherwise


def _places(walk: _Walk, node: Node, inputs: Sequence[Known]) -> Known:
    """NonZero of ones, one a token: how older exports write 0, 1, 2, ..."""
    return Most(1, -1) if one_bound(inputs[0]) == Most(0, 1, exact=True) else None


_HANDLERS: dict[str, Callable[[_Walk, Node, Sequence[Known]], Known]] = {
    **dict.fromkeys(_LOOKUPS, _Walk.look_up),
    "Slice": _Walk.cut,
    "Shape": _Walk.shape,
    "EmbedLayerNormalization": _Walk.fused_embeddings,
    "ConstantOfShape": _Walk.filled,
    "CumSum": lambda walk, node, inputs: counted(inputs[0]),
    "ReduceSum": lambda walk, node, inputs: counted(inputs[0]),
    "Range": lambda walk, node, inputs: counted_up(inputs),
    "Clip": lambda walk, node, inputs: clipped(inputs),
    "Where": lambda walk, node, inputs: either(inputs),
    "Concat": lambda walk, node, inputs: joined(inputs),
    "NonZero": _places,
}
