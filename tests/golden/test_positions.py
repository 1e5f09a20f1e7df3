"""positions.py says how many tokens a graph can read; native onnxruntime tries it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.e2e.models import POSITIONS, tiny_model
from tests.hub.graphs import encoder
from tests.hub.tiny_models import ARCHITECTURES
from webrerank.onnx_graph import read_graph
from webrerank.positions import most_tokens

HIDDEN = 4
ROWS = 20
PAD = 1


class Builder:
    """A graph that adds a vector of each position to one of each word, and takes the mean."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def keep(self, values: Any) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def ints(self, *values: int) -> str:
        return self.keep(np.asarray(values, np.int64))

    def whole(self, value: int) -> str:
        return self.keep(np.int64(value))

    def table(self, rows: int = ROWS, kind: type[np.generic] = np.float32) -> str:
        return self.keep(np.ones((rows, HIDDEN), kind))

    def length(self) -> str:
        return self.add("Gather", self.add("Shape", "input_ids"), self.whole(1), axis=0)

    def end(self) -> str:
        return self.add("Unsqueeze", self.length(), self.ints(0))

    def count(self) -> str:
        """1, 2, 3, ... as far as there is text."""
        return self.add("CumSum", "attention_mask", self.whole(1))

    def behind_padding(self) -> str:
        """RoBERTa's and MPNet's way."""
        ids = self.add("Equal", "input_ids", self.whole(PAD))
        mask = self.add("Cast", self.add("Not", ids), to=TensorProto.INT32)
        count = self.add("CumSum", mask, self.whole(1))
        count = self.add("Mul", self.add("Cast", count, to=TensorProto.INT32), mask)
        return self.add("Add", self.add("Cast", count, to=TensorProto.INT64), self.whole(PAD))

    def buffer(self, first: int = 0, count: int = ROWS) -> str:
        """A constant 0, 1, 2, ... of which as much is taken as there are tokens."""
        places = self.keep(np.arange(first, first + count, dtype=np.int64)[None])
        return self.add("Slice", places, self.ints(0), self.end(), self.ints(1), self.ints(1))

    def range(self, first: int = 0) -> str:
        last = self.add("Add", self.length(), self.whole(first))
        places = self.add("Range", self.whole(first), last, self.whole(1))
        return self.add("Unsqueeze", places, self.ints(0))

    def finish(self, positions: str) -> onnx.ModelProto:
        words = self.add("Gather", self.table(10), "input_ids")
        mixed = self.add("Add", words, positions)
        output = self.add("ReduceMean", mixed, axes=[1, 2], keepdims=0)
        logits = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch"])
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
            for name in ("input_ids", "attention_mask")
        ]
        graph = helper.make_graph(self.nodes, "positions", inputs, [logits], self.weights)
        opsets = [helper.make_opsetid("", 14), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def _older_range(b: Builder) -> str:
    ones = b.add("ConstantOfShape", b.end(), value=numpy_helper.from_array(np.ones(1, np.int64)))
    places = b.add("Transpose", b.add("NonZero", ones), perm=[1, 0])
    return b.add("Unsqueeze", b.add("Squeeze", places, b.ints(1)), b.ints(0))


def _counted_ones(b: Builder) -> str:
    shape = b.add("Shape", "input_ids")
    ones = b.add("ConstantOfShape", shape, value=numpy_helper.from_array(np.ones(1, np.int64)))
    return b.add("Sub", b.add("CumSum", ones, b.whole(1)), b.whole(1))


def _quantised(b: Builder) -> str:
    scale, zero = b.keep(np.float32(0.1)), b.keep(np.int8(0))
    found = b.add("Gather", b.table(kind=np.int8), b.range())
    return b.add("DequantizeLinear", found, scale, zero)


def _quantised_whole(b: Builder) -> str:
    scale, zero = b.keep(np.float32(0.1)), b.keep(np.int8(0))
    table = b.add("DequantizeLinear", b.table(kind=np.int8), scale, zero)
    return b.add("Gather", table, b.range())


def _half(b: Builder) -> str:
    table = b.add("Cast", b.table(kind=np.float16), to=TensorProto.FLOAT)
    return b.add("Gather", table, b.range())


def _shown(b: Builder) -> str:
    """Positions where there is text, the padding's elsewhere."""
    shown = b.add("Cast", "attention_mask", to=TensorProto.BOOL)
    return b.add("Gather", b.table(), b.add("Where", shown, b.count(), b.whole(0)))


def _constant_node(b: Builder) -> str:
    """Constants as operators, as PyTorch writes them."""
    two = b.add("Constant", value=numpy_helper.from_array(np.asarray(2, np.int64)))
    return b.add("Gather", b.table(), b.add("Add", b.count(), two))


def _expanded(b: Builder) -> str:
    places = b.add("Expand", b.buffer(), b.add("Shape", "input_ids"))
    return b.add("Gather", b.table(), places)


def _gather(count: Callable[[Builder], str]) -> Callable[[Builder], str]:
    return lambda b: b.add("Gather", b.table(), count(b))


#: Ways to come by the positions, and how many tokens they leave of a table of ROWS.
WAYS: dict[str, tuple[Callable[[Builder], str], int]] = {
    "counted behind the padding": (_gather(Builder.behind_padding), ROWS - PAD - 1),
    "counted from one": (_gather(Builder.count), ROWS - 1),
    "counted ones, less one": (_gather(_counted_ones), ROWS),
    "a range": (_gather(Builder.range), ROWS),
    "a range from two": (_gather(lambda b: b.range(2)), ROWS - 2),
    "an older exporter's range": (_gather(_older_range), ROWS),
    "the start of a constant": (_gather(Builder.buffer), ROWS),
    "the start of a constant from two": (_gather(lambda b: b.buffer(2)), ROWS - 2),
    "a constant shorter than the table": (_gather(lambda b: b.buffer(0, 12)), 12),
    "the start of a constant, expanded": (_expanded, ROWS),
    "the start of the table": (
        lambda b: b.add("Slice", b.table(), b.ints(0), b.end(), b.ints(0)),
        ROWS,
    ),
    "an int8 table": (_quantised, ROWS),
    "an int8 table made floats whole": (_quantised_whole, ROWS),
    "a table of halves": (_half, ROWS),
    "only where there is text": (_shown, ROWS - 1),
    "constants as operators": (_constant_node, ROWS - 3),
}


def fits(session: ort.InferenceSession, length: int) -> bool:
    ids = np.full((2, length), 3, np.int64)
    feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    try:
        session.run(None, {value.name: feeds[value.name] for value in session.get_inputs()})
    except Exception:  # onnxruntime's errors share no base class
        return False
    return True


@pytest.mark.parametrize("way", WAYS)
def test_the_longest_that_runs(way: str) -> None:
    make, wanted = WAYS[way]
    builder = Builder()
    model = builder.finish(make(builder)).SerializeToString()
    assert most_tokens(read_graph(model)) == wanted
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    assert [fits(session, length) for length in (2, wanted, wanted + 1)] == [True, True, False]


def _clipped(b: Builder) -> str:
    last = b.whole(ROWS - 1)
    return b.add("Gather", b.table(), b.add("Min", b.range(), last))


def _strange(b: Builder) -> str:
    """From the ids, by arithmetic that nobody needs to follow."""
    return b.add("Gather", b.table(), b.add("Mod", "input_ids", b.whole(ROWS)))


def _clipped_by_clip(b: Builder) -> str:
    bounds = b.whole(0), b.whole(ROWS - 1)
    return b.add("Gather", b.table(), b.add("Clip", b.range(), *bounds))


@pytest.mark.parametrize("make", [_clipped, _clipped_by_clip, _strange])
def test_where_there_is_no_limit_or_none_is_seen_nothing_is_said(
    make: Callable[[Builder], str],
) -> None:
    builder = Builder()
    assert most_tokens(read_graph(builder.finish(make(builder)).SerializeToString())) is None


@pytest.mark.parametrize(
    ("count", "wanted"), [(None, ROWS), (Builder.behind_padding, ROWS - PAD - 1)]
)
def test_onnx_runtimes_fused_embeddings(
    count: Callable[[Builder], str] | None, wanted: int
) -> None:
    b = Builder()
    scale, shift = b.keep(np.ones(HIDDEN, np.float32)), b.keep(np.zeros(HIDDEN, np.float32))
    inputs = ["input_ids", "", b.table(10), b.table(), "", scale, shift]
    inputs += ["", count(b)] if count else []
    model = b.finish(b.add("EmbedLayerNormalization", *inputs, domain="com.microsoft"))
    assert most_tokens(read_graph(model.SerializeToString())) == wanted


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_every_test_architecture(kind: str) -> None:
    shape = replace(ARCHITECTURES[kind].shape, vocabulary=50)
    model = encoder(shape, ARCHITECTURES[kind].dtype).SerializeToString()
    expected = shape.positions - shape.first_position if shape.positions else None
    assert most_tokens(read_graph(model)) == expected


def test_the_tiny_model_of_the_browser_tests() -> None:
    assert most_tokens(read_graph(tiny_model())) == POSITIONS
