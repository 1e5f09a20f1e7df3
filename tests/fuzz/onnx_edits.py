"""Changes of an ONNX model that leave it well-formed: other operators, names, shapes, places."""

from __future__ import annotations

from random import Random
from typing import Any

import onnx
from onnx import helper

from tests.fuzz.case import Edit

NUMBERS = [0, 1, 2, 3, 6, 7, 10, 16, -1, -2, 4, 32, 512, 2**31 - 1, 2**31, 2**62, -(2**63)]
WORDS = ["", "a", "logits", "input_ids", "attention_mask", "weights", "é", "x" * 5000, "..", "/"]
OPERATORS = [
    *("Gather", "Add", "Mul", "Sub", "Div", "Cast", "Identity", "Reshape", "Transpose", "Softmax"),
    *("MatMul", "Relu", "Tanh", "Sqrt", "Pow", "Slice", "ReduceMean", "Squeeze", "Unsqueeze"),
    *("Concat", "Shape", "Constant", "LayerNormalization", "Where", "Loop", "If", "Nonsense"),
    *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "Flatten"),
    *("ArgMax", "Expand", "Tile", "SkipLayerNormalization", "Gemm", "Einsum", "Round"),
]
#: External data, as graphs name it.
PLACES = [
    *("../x", "/etc/passwd", "./model.onnx_data", "weights", "C:\\x", "a b", "sub/model.onnx_data"),
    *("", ".", "model.onnx", "config.json", "http://127.0.0.1/x", "model.onnx_data"),
]


def proto_edit(rng: Random, model: onnx.ModelProto) -> Edit:
    """Think of one change."""
    verb = rng.choice(
        ["set", "set", "set", "remove", "twice", "swap", "rename", "external", "nest"]
    )
    if verb == "nest":
        return ["nest", rng.choice([1, 3, 50, 99, 2000])]
    if verb == "external":
        number = rng.randrange(len(model.graph.initializer))
        keys = {"location": PLACES, "offset": ["-1", "0", "7", "99999999999", "x"]}
        key = rng.choice(list(keys))
        return ["external", number, key, rng.choice(keys[key])]
    if verb == "rename":
        names = _names(model)
        return ["rename", rng.choice(names), rng.choice(names)]
    path, message, field = _walk(rng, model)
    if verb == "swap":
        return ["swap", ["graph", "node"], *rng.sample(range(len(model.graph.node)), 2)]
    if verb in ("remove", "twice"):
        return [verb, path]
    return ["set", path, _value(rng, model, message, field)]


def edit_proto(model: onnx.ModelProto, edits: list[Edit]) -> bytes:
    """Change a copy and write it."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    levels = 0
    for verb, *arguments in edits:
        try:
            if verb == "nest":
                levels = arguments[0]
            else:
                globals()[f"_{verb}"](changed, *arguments)
        except (LookupError, TypeError, ValueError, AttributeError):
            continue
    data: bytes = changed.SerializeToString()
    return _nested(changed, levels) if levels else data


def _walk(rng: Random, message: Any) -> tuple[list[Any], Any, Any]:
    path: list[Any] = []
    while True:
        field, value = rng.choice(message.ListFields())
        path.append(field.name)
        if field.is_repeated:
            path.append(rng.randrange(len(value)))
            value = value[path[-1]]
        if field.message_type is None or (len(path) > 1 and rng.random() < 0.1):
            return path, message, field
        if not value.ListFields():
            return path, message, field
        message = value


def _value(rng: Random, model: onnx.ModelProto, message: Any, field: Any) -> Any:
    current = getattr(message, field.name)
    if field.is_repeated and len(current):
        current = current[rng.randrange(len(current))]
    if isinstance(current, bool | int):
        return rng.choice([*NUMBERS, current + 1, current - 1])
    if isinstance(current, float):
        return rng.choice([0.0, -1.0, 1e30, float("nan"), current * 2])
    if isinstance(current, bytes):
        return {"hex": current[: rng.randrange(len(current) or 1)][:64].hex()}
    if field.name == "op_type":
        return rng.choice(OPERATORS)
    return rng.choice([*WORDS, rng.choice(_names(model))])


def _names(model: onnx.ModelProto) -> list[str]:
    made = [name for node in model.graph.node for name in node.output]
    return [*made, *(tensor.name for tensor in model.graph.initializer), "input_ids"]


def _parent(model: Any, path: list[Any]) -> tuple[Any, Any]:
    for step in path[:-1]:
        model = model[step] if isinstance(step, int) else getattr(model, step)
    return model, path[-1]


def _set(model: onnx.ModelProto, path: list[Any], value: Any) -> None:
    if isinstance(value, dict):
        value = bytes.fromhex(value["hex"])
    parent, last = _parent(model, path)
    if isinstance(last, int):
        parent[last] = value
    else:
        setattr(parent, last, value)


def _remove(model: onnx.ModelProto, path: list[Any]) -> None:
    parent, last = _parent(model, path)
    if isinstance(last, int):
        del parent[last]
    else:
        parent.ClearField(last)


def _twice(model: onnx.ModelProto, path: list[Any]) -> None:
    parent, last = _parent(model, path)
    parent.append(parent[last])


def _swap(model: onnx.ModelProto, path: list[Any], first: int, second: int) -> None:
    parent, last = _parent(model, path)
    nodes = getattr(parent, last)
    one = onnx.NodeProto()
    one.CopyFrom(nodes[first])
    nodes[first].CopyFrom(nodes[second])
    nodes[second].CopyFrom(one)


def _rename(model: onnx.ModelProto, old: str, new: str) -> None:
    """Let the first reader of a value read another."""
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            if name == old:
                node.input[place] = new
                return


def _external(model: onnx.ModelProto, number: int, key: str, value: str) -> None:
    tensor = model.graph.initializer[number]
    entries = {entry.key: entry for entry in tensor.external_data}
    entry = entries.get(key) or tensor.external_data.add(key=key)
    entry.value = value
    tensor.data_location = onnx.TensorProto.EXTERNAL


def _nested(model: onnx.ModelProto, levels: int) -> bytes:
    """Put the graph into a branch of a branch of a branch ..."""
    head = helper.make_model(onnx.GraphProto(), opset_imports=model.opset_import)
    head.ClearField("graph")
    inner: bytes = model.graph.SerializeToString()
    for _ in range(levels):
        attribute = _field(1, b"then_branch") + _field(6, inner) + b"\xa0\x01\x05"
        inner = _field(1, _field(1, b"input_ids") + _field(4, b"If") + _field(5, attribute))
    return bytes(head.SerializeToString()) + _field(7, inner)


def _field(number: int, content: bytes) -> bytes:
    length, size = len(content), bytearray()
    while length > 127:
        size.append(length % 128 | 128)
        length //= 128
    return bytes([number * 8 + 2]) + bytes([*size, length]) + content
