"""Models made for the tests: the bundled one in fp32, and a tiny one for slow GPUs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[Any]

#: The tiny model; its vocabulary is the bundled tokenizer's.
VOCABULARY = 30522
HIDDEN = 32
HEADS = 2
POSITIONS = 64


def dequantize(path: Path) -> bytes:
    """Turn a model with dynamic int8 weights into the fp32 one that it stands for."""
    model = onnx.load(str(path))
    graph = model.graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    users: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)

    replaced: dict[int, Any] = {}
    dropped: set[int] = set()
    new_weights: dict[str, Array] = {}

    def real(name: str) -> str:
        stem = name.removesuffix("_quantized")
        zero = weights[f"{stem}_zero_point"].astype(np.float32)
        values = (weights[name].astype(np.float32) - zero) * weights[f"{stem}_scale"]
        new_weights[f"{stem}_fp32"] = values.astype(np.float32)
        return f"{stem}_fp32"

    for node in graph.node:
        if node.op_type == "MatMulInteger":
            # DynamicQuantizeLinear(x) -> MatMulInteger -> Cast -> Mul(by both scales)
            quantize = makers[node.input[0]]
            [cast] = users[node.output[0]]
            [scale] = users[cast.output[0]]
            [scales] = [makers[name] for name in scale.input if name != cast.output[0]]
            inputs = [quantize.input[0], real(node.input[1])]
            replaced[id(node)] = helper.make_node("MatMul", inputs, list(scale.output))
            dropped |= {id(quantize), id(cast), id(scale), id(scales)}
        elif node.op_type == "DequantizeLinear":
            gather = makers[node.input[0]]
            inputs = [real(gather.input[0]), gather.input[1]]
            replaced[id(node)] = helper.make_node("Gather", inputs, list(node.output))
            dropped.add(id(gather))

    nodes = [replaced.get(id(node), node) for node in graph.node if id(node) not in dropped]
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    made = [numpy_helper.from_array(values, name) for name, values in new_weights.items()]
    fresh = helper.make_graph(nodes, "fp32", graph.input, graph.output, [*kept, *made])
    result = helper.make_model(fresh, opset_imports=model.opset_import, ir_version=8)
    onnx.checker.check_model(result)
    data: bytes = result.SerializeToString()
    return data


class _Builder:
    """Nodes and weights of a graph, each named after its place."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._random = np.random.default_rng(7)

    def constant(self, values: Array) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def random(self, *shape: int) -> str:
        return self.constant(self._random.normal(0, 0.3, shape).astype(np.float32))

    def ints(self, *values: int) -> str:
        return self.constant(np.asarray(values, np.int64))

    def number(self, value: float) -> str:
        return self.constant(np.asarray(value, np.float32))

    def add(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def linear(self, value: str, width: int, to: int) -> str:
        return self.add("Add", self.add("MatMul", value, self.random(width, to)), self.random(to))

    def norm(self, value: str) -> str:
        ones, zeros = np.ones(HIDDEN, np.float32), np.zeros(HIDDEN, np.float32)
        return self.add(
            "LayerNormalization", value, self.constant(ones), self.constant(zeros), axis=-1
        )

    def heads(self, value: str) -> str:
        parts = self.add("Reshape", value, self.ints(0, 0, HEADS, HIDDEN // HEADS))
        return self.add("Transpose", parts, perm=[0, 2, 1, 3])

    def model(self, *names: str) -> bytes:
        """The model with these inputs, whose answer is 'logits'."""
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
            for name in names
        ]
        logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 1])
        graph = helper.make_graph(self.nodes, "tiny", inputs, [logits], self.weights)
        opsets = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="tests")
        onnx.checker.check_model(model)
        data: bytes = model.SerializeToString()
        return data


def tiny_model() -> bytes:
    """A BERT cross-encoder of one layer with random weights: right in form, of no use to anyone."""
    b = _Builder()
    length = b.add("Shape", "input_ids", start=1, end=2)
    positions = b.add("Slice", b.random(POSITIONS, HIDDEN), b.ints(0), length)
    words = b.add("Gather", b.random(VOCABULARY, HIDDEN), "input_ids")
    types = b.add("Gather", b.random(2, HIDDEN), "token_type_ids")
    hidden = b.norm(b.add("Add", b.add("Add", words, types), positions))

    mask = b.add("Cast", "attention_mask", to=TensorProto.FLOAT)
    mask = b.add("Mul", b.add("Sub", b.number(1), mask), b.number(-1e4))
    mask = b.add("Unsqueeze", mask, b.ints(1, 2))
    query, key, value = (b.heads(b.linear(hidden, HIDDEN, HIDDEN)) for _ in range(3))
    scores = b.add("MatMul", query, b.add("Transpose", key, perm=[0, 1, 3, 2]))
    scores = b.add("Add", b.add("Div", scores, b.number((HIDDEN / HEADS) ** 0.5)), mask)
    mixed = b.add("MatMul", b.add("Softmax", scores, axis=-1), value)
    mixed = b.add("Transpose", mixed, perm=[0, 2, 1, 3])
    mixed = b.add("Reshape", mixed, b.ints(0, 0, HIDDEN))
    hidden = b.norm(b.add("Add", hidden, b.linear(mixed, HIDDEN, HIDDEN)))
    inner = b.add("Relu", b.linear(hidden, HIDDEN, 2 * HIDDEN))
    hidden = b.norm(b.add("Add", hidden, b.linear(inner, 2 * HIDDEN, HIDDEN)))

    first = b.add("Gather", hidden, b.constant(np.asarray(0, np.int64)), axis=1)
    pooled = b.add("Tanh", b.linear(first, HIDDEN, HIDDEN))
    b.add("MatMul", pooled, b.random(HIDDEN, 1), output="logits")
    return b.model("input_ids", "attention_mask", "token_type_ids")


def sum_of_words() -> bytes:
    """A model that only adds up the vectors of its words: an emulated GPU takes a second for each
    few operators that it compiles."""
    b = _Builder()
    words = b.add("Gather", b.random(VOCABULARY, HIDDEN), "input_ids")
    mask = b.add("Unsqueeze", b.add("Cast", "attention_mask", to=TensorProto.FLOAT), b.ints(-1))
    both = b.add("ReduceSum", b.add("Mul", words, mask), b.ints(1), keepdims=0)
    b.add("MatMul", both, b.random(HIDDEN, 1), output="logits")
    return b.model("input_ids", "attention_mask")
