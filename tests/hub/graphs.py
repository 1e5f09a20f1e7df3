"""Transformer encoders with random weights as ONNX graphs, in fp32, fp16 and dynamic int8."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Dtype = Literal["fp32", "fp16", "q8"]


@dataclass(frozen=True)
class Shape:
    """What a model looks like."""

    vocabulary: int
    inputs: tuple[str, ...] = ("input_ids", "attention_mask", "token_type_ids")
    hidden: int = 32
    heads: int = 2
    layers: int = 2
    positions: int = 512  #: rows of the position table; 0 for none
    first_position: int = 0  #: RoBERTa counts from the padding id + 1
    labels: int = 1
    pool: Literal["first", "last", "none"] = "first"
    half_logits: bool = False  #: an fp16 model that answers in fp16 too


@dataclass
class _Builder:
    shape: Shape
    dtype: Dtype
    rng: np.random.Generator
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, op: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        names = [f"{op.lower()}_{len(self.nodes)}_{place}" for place in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def keep(self, values: Any) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def floats(self, values: Any) -> str:
        kind = np.float16 if self.dtype == "fp16" else np.float32
        return self.keep(np.asarray(values, kind))

    def random(self, rows: int, columns: int, scale: float) -> str:
        values = self.rng.standard_normal((rows, columns), np.float32)
        return self.floats(values * np.float32(scale))

    def random_bytes(self, rows: int, columns: int) -> str:
        # Seven bits: with eight, int8 kernels of some CPUs saturate (onnxruntime's docs).
        values = np.frombuffer(self.rng.bytes(rows * columns), np.int8) >> 1
        return self.keep(values.reshape(rows, columns))

    def table(self, rows: int, ids: str) -> str:
        """Look rows up."""
        if self.dtype != "q8":
            return str(self.add("Gather", self.random(rows, self.shape.hidden, 1.0), ids))
        found = self.add("Gather", self.random_bytes(rows, self.shape.hidden), ids)
        zero = self.keep(np.int8(0))
        return str(self.add("DequantizeLinear", found, self.floats(1 / 36), zero))

    def linear(self, x: str, inputs: int, outputs: int) -> str:
        bias = self.floats(self.rng.standard_normal(outputs) * 0.1)
        if self.dtype != "q8":
            weight = self.random(inputs, outputs, inputs**-0.5)
            return str(self.add("Add", self.add("MatMul", x, weight), bias))
        rounded, scale, zero = self.add("DynamicQuantizeLinear", x, outputs=3)
        weight = self.random_bytes(inputs, outputs)
        product = self.add("MatMulInteger", rounded, weight, zero, self.keep(np.int8(0)))
        scale = self.add("Mul", scale, self.floats(inputs**-0.5 / 36))
        wide = self.add("Mul", self.add("Cast", product, to=TensorProto.FLOAT), scale)
        return str(self.add("Add", wide, bias))

    def norm(self, x: str) -> str:
        ones = self.floats(np.ones(self.shape.hidden))
        zeros = self.floats(np.zeros(self.shape.hidden))
        return str(self.add("LayerNormalization", x, ones, zeros, axis=-1))

    def heads(self, x: str, order: list[int]) -> str:
        width = self.shape.hidden // self.shape.heads
        split = self.keep(np.array([0, 0, self.shape.heads, width], np.int64))
        x = self.linear(x, self.shape.hidden, self.shape.hidden)
        return str(self.add("Transpose", self.add("Reshape", x, split), perm=order))

    def attention(self, x: str, bias: str) -> str:
        query, value = self.heads(x, [0, 2, 1, 3]), self.heads(x, [0, 2, 1, 3])
        key = self.heads(x, [0, 2, 3, 1])
        scale = self.floats((self.shape.hidden // self.shape.heads) ** -0.5)
        scores = self.add("Mul", self.add("MatMul", query, key), scale)
        weights = self.add("Softmax", self.add("Add", scores, bias), axis=-1)
        mixed = self.add("Transpose", self.add("MatMul", weights, value), perm=[0, 2, 1, 3])
        joined = self.keep(np.array([0, 0, self.shape.hidden], np.int64))
        mixed = self.add("Reshape", mixed, joined)
        return self.linear(mixed, self.shape.hidden, self.shape.hidden)

    def layer(self, x: str, bias: str) -> str:
        hidden = self.shape.hidden
        x = self.norm(self.add("Add", x, self.attention(x, bias)))
        inner = self.add("Relu", self.linear(x, hidden, 4 * hidden))
        return self.norm(self.add("Add", x, self.linear(inner, 4 * hidden, hidden)))

    def embed(self) -> str:
        x = self.table(self.shape.vocabulary, "input_ids")
        if "token_type_ids" in self.shape.inputs:
            x = self.add("Add", x, self.table(2, "token_type_ids"))
        if self.shape.positions:
            place = self.add("CumSum", "attention_mask", self.keep(np.int64(1)))
            shift = self.keep(np.int64(self.shape.first_position - 1))
            place = self.add("Add", place, shift)
            x = self.add("Add", x, self.table(self.shape.positions, place))
        return self.norm(x)

    def mask_bias(self) -> str:
        kind = TensorProto.FLOAT16 if self.dtype == "fp16" else TensorProto.FLOAT
        mask = self.add("Cast", "attention_mask", to=kind)
        mask = self.add("Unsqueeze", mask, self.keep(np.array([1, 2], np.int64)))
        masked = self.add("Sub", self.floats(1), mask)
        return str(self.add("Mul", masked, self.floats(-1e4)))

    def build(self) -> str:
        x, bias = self.embed(), self.mask_bias()
        for _ in range(self.shape.layers):
            x = self.layer(x, bias)
        if self.shape.pool == "none":
            return x
        place = self.keep(np.int64(0 if self.shape.pool == "first" else -1))
        x = self.add("Gather", x, place, axis=1)
        weight = self.random(self.shape.hidden, self.shape.labels, 2 * self.shape.hidden**-0.5)
        x = self.add("MatMul", x, weight)
        if self.dtype == "fp16" and not self.shape.half_logits:
            x = self.add("Cast", x, to=TensorProto.FLOAT)
        return str(x)


def encoder(shape: Shape, dtype: Dtype = "fp32") -> onnx.ModelProto:
    """Make an encoder; the same shape and dtype give the same weights."""
    rng = np.random.default_rng(zlib.crc32(repr((shape, dtype)).encode()))
    builder = _Builder(shape, dtype, rng)
    builder.nodes.append(helper.make_node("Identity", [builder.build()], ["logits"]))
    half = dtype == "fp16" and shape.half_logits
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    size: list[str | int | None]
    size = ["batch", "sequence", shape.hidden] if shape.pool == "none" else ["batch", shape.labels]
    graph = helper.make_graph(
        builder.nodes,
        "reranker",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
            for name in shape.inputs
        ],
        [helper.make_tensor_value_info("logits", kind, size)],
        builder.weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def cut_layers(model: onnx.ModelProto, last: str, after: str) -> onnx.ModelProto:
    """Leave out what lies between two values: readers of `last` read `after` instead."""
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            if name == last:
                node.input[place] = after
    wanted = {output.name for output in model.graph.output}
    nodes = []
    for node in reversed(model.graph.node):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(reversed(nodes))
    weights = [weight for weight in model.graph.initializer if weight.name in wanted]
    del model.graph.initializer[:]
    model.graph.initializer.extend(weights)
    del model.graph.value_info[:]
    return model
