"""Small encoders of the BERT family with random weights, in the form in which PyTorch's exporter
writes them, and in int8 as onnxruntime's own dynamic quantisation makes them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

VOCABULARY = 120


@dataclass(frozen=True)
class Encoder:
    """What a model looks like.

    Attributes:
        padding: id that RoBERTa's positions skip; None where positions count from 0.
        type_buffer: types are zeros inside the model, as RoBERTa has them.
        fused: LayerNormalization is one operator, as since opset 17.
        quantised: operators with weights in int8; others stay in floats.
        reduced: weights have seven bits, whose products onnxruntime adds up rightly everywhere.
            Those of eight bits overflow its sums on x86 without VNNI, silently. Not part of the
            repr, which is the seed of the weights.
    """

    heads: int = 2
    size: int = 32
    layers: int = 2
    inner: int = 96
    labels: int = 1
    positions: int = 40
    pooler: bool = True
    types: bool = True
    type_buffer: bool = False
    padding: int | None = None
    activation: str = "gelu"
    fused: bool = False
    per_channel: bool = False
    unsigned: bool = False
    quantised: tuple[str, ...] = ("MatMul", "Gather", "Gemm")
    reduced: bool = field(default=False, repr=False)

    @property
    def hidden(self) -> int:
        return self.heads * self.size

    @property
    def inputs(self) -> tuple[str, ...]:
        names = ("input_ids", "attention_mask", "token_type_ids")
        return names if self.types else names[:2]


@dataclass
class _Export:
    shape: Encoder
    rng: np.random.Generator
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        name = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def keep(self, values: Any) -> str:
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def ints(self, *values: int) -> str:
        return self.constant(np.asarray(values, np.int64))

    def number(self, value: float) -> str:
        return self.constant(np.asarray(value, np.float32))

    def constant(self, values: Any) -> str:
        return self.add("Constant", value=numpy_helper.from_array(np.asarray(values)))

    def random(self, *shape: int, scale: float = 1.0) -> str:
        return self.keep(self.rng.normal(0, scale, shape).astype(np.float32))

    def size_of(self, value: str, axis: int) -> str:
        """One size of a value, as a vector of one."""
        size = self.add("Gather", self.add("Shape", value), self.constant(np.int64(axis)), axis=0)
        return self.add("Unsqueeze", size, self.ints(0))

    def linear(self, x: str, inputs: int, outputs: int) -> str:
        weight = self.random(inputs, outputs, scale=1.5 * inputs**-0.5)
        return self.add("Add", self.random(outputs, scale=0.2), self.add("MatMul", x, weight))

    def norm(self, x: str) -> str:
        hidden = self.shape.hidden
        weight = self.keep((1 + self.rng.normal(0, 0.2, hidden)).astype(np.float32))
        bias = self.random(hidden, scale=0.2)
        if self.shape.fused:
            return self.add("LayerNormalization", x, weight, bias, axis=-1, epsilon=1e-12)
        centered = self.add("Sub", x, self.add("ReduceMean", x, axes=[-1]))
        square = self.add("Pow", centered, self.number(2))
        variance = self.add("Add", self.add("ReduceMean", square, axes=[-1]), self.number(1e-12))
        normed = self.add("Div", centered, self.add("Sqrt", variance))
        return self.add("Add", self.add("Mul", normed, weight), bias)

    def positions(self) -> str:
        if self.shape.padding is None:
            buffer = self.constant(np.arange(self.shape.positions)[None])
            end = self.size_of("input_ids", 1)
            return self.add("Slice", buffer, self.ints(0), end, self.ints(1), self.ints(1))
        padding = self.constant(np.int64(self.shape.padding))
        is_token = self.add("Not", self.add("Equal", "input_ids", padding))
        counted = self.add("Cast", is_token, to=TensorProto.INT32)
        summed = self.add("CumSum", counted, self.constant(np.int64(1)))
        masked = self.add("Mul", self.add("Cast", summed, to=TensorProto.INT32), counted)
        return self.add("Add", self.add("Cast", masked, to=TensorProto.INT64), padding)

    def types(self) -> str:
        if self.shape.types:
            return "token_type_ids"
        buffer = self.constant(np.zeros((1, self.shape.positions), np.int64))
        end = self.size_of("input_ids", 1)
        part = self.add("Slice", buffer, self.ints(0), end, self.ints(1), self.ints(1))
        sizes = [self.size_of("input_ids", axis) for axis in (0, 1)]
        return self.add("Expand", part, self.add("Concat", *sizes, axis=0))

    def embed(self) -> str:
        hidden = self.shape.hidden
        x = self.add("Gather", self.random(VOCABULARY, hidden), "input_ids")
        if self.shape.types or self.shape.type_buffer:
            rows = 2 if self.shape.types else 1
            x = self.add("Add", x, self.add("Gather", self.random(rows, hidden), self.types()))
        if self.shape.positions:
            table = self.random(self.shape.positions, hidden)
            x = self.add("Add", x, self.add("Gather", table, self.positions()))
        return self.norm(x)

    def mask(self) -> str:
        wide = self.add("Unsqueeze", "attention_mask", self.ints(1))
        wide = self.add("Unsqueeze", wide, self.ints(2))
        sizes = [self.size_of("input_ids", 0), self.ints(1)]
        sizes += [self.size_of("input_ids", 1), self.size_of("attention_mask", 1)]
        wide = self.add("Expand", wide, self.add("Concat", *sizes, axis=0))
        hidden = self.add("Sub", self.number(1), self.add("Cast", wide, to=TensorProto.FLOAT))
        is_hidden = self.add("Cast", hidden, to=TensorProto.BOOL)
        return self.add("Where", is_hidden, self.number(float(np.finfo(np.float32).min)), hidden)

    def split(self, x: str, order: list[int]) -> str:
        shape = self.shape
        part = self.linear(x, shape.hidden, shape.hidden)
        sizes = [self.size_of(x, 0), self.ints(-1), self.ints(shape.heads), self.ints(shape.size)]
        split = self.add("Reshape", part, self.add("Concat", *sizes, axis=0))
        return self.add("Transpose", split, perm=order)

    def attention(self, x: str, mask: str) -> str:
        query, key = self.split(x, [0, 2, 1, 3]), self.split(x, [0, 2, 3, 1])
        value = self.split(x, [0, 2, 1, 3])
        root = self.number(self.shape.size**0.5)
        scores = self.add("Div", self.add("MatMul", query, key), root)
        weights = self.add("Softmax", self.add("Add", scores, mask), axis=-1)
        mixed = self.add("Transpose", self.add("MatMul", weights, value), perm=[0, 2, 1, 3])
        sizes = [self.size_of(x, 0), self.size_of(x, 1), self.ints(self.shape.hidden)]
        mixed = self.add("Reshape", mixed, self.add("Concat", *sizes, axis=0))
        return self.linear(mixed, self.shape.hidden, self.shape.hidden)

    def activate(self, x: str) -> str:
        if self.shape.activation == "relu":
            return self.add("Relu", x)
        erf = self.add("Erf", self.add("Div", x, self.number(2**0.5)))
        gated = self.add("Mul", x, self.add("Add", erf, self.number(1)))
        return self.add("Mul", gated, self.number(0.5))

    def layer(self, x: str, mask: str) -> str:
        hidden, inner = self.shape.hidden, self.shape.inner
        x = self.norm(self.add("Add", self.attention(x, mask), x))
        wide = self.activate(self.linear(x, hidden, inner))
        return self.norm(self.add("Add", self.linear(wide, inner, hidden), x))

    def build(self) -> None:
        x, mask = self.embed(), self.mask()
        for _ in range(self.shape.layers):
            x = self.layer(x, mask)
        hidden = self.shape.hidden
        x = self.add("Gather", x, self.constant(np.int64(0)), axis=1)
        if self.shape.pooler:
            weight = self.random(hidden, hidden, scale=hidden**-0.5)
            x = self.add("Tanh", self.add("Gemm", x, weight, self.random(hidden), transB=1))
        weight = self.random(self.shape.labels, hidden, scale=3 * hidden**-0.5)
        bias = self.random(self.shape.labels)
        self.nodes.append(helper.make_node("Gemm", [x, weight, bias], ["logits"], transB=1))


def export(shape: Encoder, opset: int = 14) -> onnx.ModelProto:
    """Make the fp32 model; the same shape gives the same weights."""
    built = _Export(shape, np.random.default_rng(zlib.crc32(repr(shape).encode())))
    built.build()
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
        for name in shape.inputs
    ]
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", shape.labels])
    graph = helper.make_graph(built.nodes, "encoder", inputs, [logits], built.weights)
    opset = 17 if shape.fused else opset
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def quantise(shape: Encoder, folder: Path) -> Path:
    """Write the model in int8, as onnxruntime makes it."""
    floats, ints = folder / "floats.onnx", folder / "model.onnx"
    onnx.save(export(shape), floats)
    quantize_dynamic(
        floats,
        ints,
        op_types_to_quantize=list(shape.quantised),
        per_channel=shape.per_channel,
        reduce_range=shape.reduced,
        weight_type=QuantType.QUInt8 if shape.unsigned else QuantType.QInt8,
        extra_options={"DefaultTensorType": TensorProto.FLOAT},
    )
    return ints
