"""The graph of an ONNX file, read: its operators, constants, inputs and outputs.

Weights are not touched: of a constant only its name and shape are known, and its values where they
are few whole numbers. Reads a file as it is, and one whose weights have been taken out.

Source: onnx.proto (ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto, ValueInfoProto).
"""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from webrerank.errors import UnsupportedModelError
from webrerank.protobuf import Buffer, Field, Reader

#: TensorProto.DataType, as far as a reranker may meet it; names as in error messages.
TYPES = {
    **{1: "float32", 2: "uint8", 3: "int8", 5: "int16", 6: "int32", 7: "int64", 8: "string"},
    **{9: "bool", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 16: "bfloat16"},
}

#: Whose operators are known by name: ONNX and ONNX Runtime.
_DOMAINS = ("", "ai.onnx", "com.microsoft")

#: Whole numbers that a constant may have for its values to be read: the longest known table of
#: positions has 8,194.
_MOST_VALUES = 2**17

#: Sizes of an axis: a number, or None where it is left open.
Dims: TypeAlias = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """An input or output; `dims` is None if the graph does not say how many axes it has."""

    name: str
    type: str
    dims: Dims | None


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant; `values` is None unless they are few whole numbers and in the graph itself."""

    dims: tuple[int, ...]
    values: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Node:
    """An operator; `op` is '' if it is none of ONNX's or ONNX Runtime's own."""

    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: list[tuple[int, int]]  #: where they are, for `Graph.attributes`


class Graph:
    """The main graph of a model.

    Attributes:
        inputs: what is to be fed, in order.
        outputs: what it gives, in order.
        nodes: its operators, in the order they run.
        constants: initializers and the values of Constant operators, by name.
    """

    def __init__(self, reader: Reader, start: int, end: int) -> None:
        self._reader = reader
        self.inputs: list[Value] = []
        self.outputs: list[Value] = []
        self.nodes: list[Node] = []
        self.constants: dict[str, Constant] = {}
        for number, wire, body, stop in reader.fields(start, end):
            if wire != 2:
                continue
            if number == 1:
                self._add_node(body, stop)
            elif number == 5:
                name, constant = self._tensor(body, stop)
                self.constants[name] = constant
            elif number == 11:
                self.inputs.append(self._value(body, stop))
            elif number == 12:
                self.outputs.append(self._value(body, stop))
        # Old files list their weights among the inputs.
        self.inputs = [value for value in self.inputs if value.name not in self.constants]

    def attributes(self, node: Node) -> dict[str, tuple[int, ...] | Constant]:
        """Give the attributes of an operator that are whole numbers or tensors."""
        try:
            return dict(self._attribute(start, end) for start, end in node.attributes)
        except (ValueError, StopIteration) as error:
            raise _damaged() from error

    def _attribute(self, start: int, end: int) -> tuple[str, tuple[int, ...] | Constant]:
        name, numbers, tensor = "", list[int](), None
        for number, _, body, stop in self._reader.fields(start, end):
            if number == 1:
                name = self._reader.text(body, stop)
            elif number in (3, 8):
                numbers += self._reader.numbers(body, stop)
            elif number == 5:
                _, tensor = self._tensor(body, stop)
        return name, tensor or tuple(numbers)

    def _add_node(self, start: int, end: int) -> None:
        text = self._reader.text
        op, domain = "", ""
        inputs, outputs, attributes = list[str](), list[str](), list[tuple[int, int]]()
        for number, _, body, stop in self._reader.fields(start, end):
            if number == 1:
                inputs.append(text(body, stop))
            elif number == 2:
                outputs.append(text(body, stop))
            elif number == 4:
                op = text(body, stop)
            elif number == 5:
                attributes.append((body, stop))
            elif number == 7:
                domain = text(body, stop)
        node = Node(op if domain in _DOMAINS else "", inputs, outputs, attributes)
        self.nodes.append(node)
        if node.op == "Constant":
            values = self.attributes(node)
            tensor = values.get("value", values.get("value_int", values.get("value_ints")))
            if isinstance(tensor, tuple):
                dims = () if "value_int" in values else (len(tensor),)
                tensor = Constant(dims, tensor or (0,))  # a zero may be left out
            if tensor and outputs:
                self.constants[outputs[0]] = tensor

    def _tensor(self, start: int, end: int) -> tuple[str, Constant]:
        name, kind, dims = "", 0, list[int]()
        data: list[Field] = []
        for field in self._reader.fields(start, end):
            number, _, body, stop = field
            if number == 1:
                dims += self._reader.numbers(body, stop)
            elif number == 2:
                kind = next(self._reader.numbers(body, stop))
            elif number == 8:
                name = self._reader.text(body, stop)
            elif number in (5, 7, 9):  # int32_data, int64_data, raw_data
                data.append(field)
        values = self._whole_numbers(TYPES.get(kind, ""), prod(dims), data)
        return name, Constant(tuple(dims), values)

    def _whole_numbers(self, kind: str, count: int, data: list[Field]) -> tuple[int, ...] | None:
        if kind not in ("int32", "int64") or not 0 < count <= _MOST_VALUES:
            return None
        values: list[int] = []
        for number, _, body, stop in data:
            if number != 9:
                values += self._reader.numbers(body, stop)
            elif stop - body == count * (8 if kind == "int64" else 4):
                raw = array("q" if kind == "int64" else "i", self._reader.content(body, stop))
                if sys.byteorder == "big":
                    raw.byteswap()
                values += raw
        return tuple(values) if len(values) == count else None

    def _value(self, start: int, end: int) -> Value:
        name, kind = "", ""
        dims: Dims | None = None
        for number, _, body, stop in self._reader.fields(start, end):
            if number == 1:
                name = self._reader.text(body, stop)
            elif number == 2:
                for tensor_start, tensor_end in self._inside(body, stop, 1):
                    kind, dims = self._tensor_type(tensor_start, tensor_end)
        return Value(name, kind, dims)

    def _tensor_type(self, start: int, end: int) -> tuple[str, Dims | None]:
        kind = ""
        dims: Dims | None = None
        for number, wire, body, stop in self._reader.fields(start, end):
            if number == 1 and wire == 0:
                code = next(self._reader.numbers(body, stop))
                kind = TYPES.get(code, f"type {code}")
            elif number == 2:
                dims = tuple(self._dim(*place) for place in self._inside(body, stop, 1))
        return kind, dims

    def _dim(self, start: int, end: int) -> int | None:
        for number, wire, body, stop in self._reader.fields(start, end):
            if number == 1 and wire == 0:
                size = next(self._reader.numbers(body, stop))
                return size if size > 0 else None  # some tools write -1 or 0 for "open"
        return None

    def _inside(self, start: int, end: int, wanted: int) -> list[tuple[int, int]]:
        fields = self._reader.fields(start, end)
        return [
            (body, stop) for number, wire, body, stop in fields if (number, wire) == (wanted, 2)
        ]


def read_graph(model: Buffer) -> Graph:
    """Read the graph of an ONNX file.

    Raises:
        UnsupportedModelError: it is no ONNX file, or is damaged.
    """
    reader = Reader(model)
    try:
        graphs = [
            (body, stop)
            for number, wire, body, stop in reader.fields(0, len(reader))
            if (number, wire) == (7, 2)
        ]
        if len(graphs) != 1:
            raise ValueError(f"{len(graphs)} graphs")
        return Graph(reader, *graphs[0])
    except (ValueError, StopIteration) as error:
        raise _damaged() from error


def _damaged() -> UnsupportedModelError:
    return UnsupportedModelError(
        "The model file is no ONNX file, or is damaged. Choose another model."
    )
