"""The same model as other tools export it: other types, fixed sizes, other outputs and inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.hub.graphs import Shape, encoder

Form = Callable[[onnx.ModelProto], onnx.ModelProto]


def copy_of(model: onnx.ModelProto) -> onnx.ModelProto:
    fresh = onnx.ModelProto()
    fresh.CopyFrom(model)
    return fresh


def int32_inputs(model: onnx.ModelProto) -> onnx.ModelProto:
    """As TensorFlow's exporter and TensorRT want them."""
    fresh = copy_of(model)
    casts = []
    for value in fresh.graph.input:
        value.type.tensor_type.elem_type = TensorProto.INT32
        for node in fresh.graph.node:
            node.input[:] = [f"{name}_64" if name == value.name else name for name in node.input]
        casts.append(
            helper.make_node("Cast", [value.name], [f"{value.name}_64"], to=TensorProto.INT64)
        )
    nodes = [*casts, *fresh.graph.node]
    del fresh.graph.node[:]
    fresh.graph.node.extend(nodes)
    return fresh


def fixed(rows: int = 0, length: int = 0) -> Form:
    """Sizes fixed at export; 0 leaves one open."""

    def form(model: onnx.ModelProto) -> onnx.ModelProto:
        fresh = copy_of(model)
        for value in fresh.graph.input:
            for dim, size in zip(value.type.tensor_type.shape.dim, (rows, length), strict=True):
                if size:
                    dim.dim_value = size
        return fresh

    return form


def more_outputs(model: onnx.ModelProto) -> onnx.ModelProto:
    """The hidden states and a class before the logits."""
    fresh = copy_of(model)
    hidden = next(node.input[0] for node in reversed(fresh.graph.node) if node.op_type == "Gather")
    label = helper.make_node("ArgMax", ["logits"], ["label"], axis=-1, keepdims=0)
    fresh.graph.node.append(label)
    logits = fresh.graph.output.pop()
    states = helper.make_tensor_value_info(hidden, TensorProto.FLOAT, ["batch", "sequence", 32])
    labels = helper.make_tensor_value_info("label", TensorProto.INT64, ["batch"])
    fresh.graph.output.extend([states, labels, logits])
    return fresh


def other_name(model: onnx.ModelProto) -> onnx.ModelProto:
    """As `more_outputs`, and the logits are called otherwise and say only that they are a table."""
    fresh = more_outputs(model)
    for node in fresh.graph.node:
        node.output[:] = ["score" if name == "logits" else name for name in node.output]
        node.input[:] = ["score" if name == "logits" else name for name in node.input]
    fresh.graph.output[-1].name = "score"
    fresh.graph.output[-1].type.tensor_type.shape.dim[1].dim_param = "unsaid"
    return fresh


def flat_logits(model: onnx.ModelProto) -> onnx.ModelProto:
    """One number a pair, without an axis of its own."""
    fresh = copy_of(model)
    fresh.graph.node[-1].op_type = "Squeeze"
    axis = numpy_helper.from_array(np.asarray([1], np.int64), "last_axis")
    fresh.graph.initializer.append(axis)
    fresh.graph.node[-1].input.append("last_axis")
    del fresh.graph.output[0].type.tensor_type.shape.dim[1:]
    return fresh


def position_input(model: onnx.ModelProto) -> onnx.ModelProto:
    """Positions are fed, not counted."""
    fresh = copy_of(model)
    (count,) = [node for node in fresh.graph.node if node.op_type == "CumSum"]
    (shifted,) = [node for node in fresh.graph.node if count.output[0] in node.input]
    for node in fresh.graph.node:
        found = shifted.output[0]
        node.input[:] = ["position_ids" if name == found else name for name in node.input]
    fresh.graph.node.remove(count)
    fresh.graph.node.remove(shifted)
    fresh.graph.input.append(
        helper.make_tensor_value_info("position_ids", TensorProto.INT64, ["batch", "sequence"])
    )
    return fresh


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "int32 inputs": int32_inputs,
        "128 tokens": fixed(length=128),
        "one pair": fixed(rows=1),
        "three pairs of 64 tokens": fixed(rows=3, length=64),
        "more outputs": more_outputs,
        "logits by another name": other_name,
        "one number a pair": flat_logits,
        "positions are fed": position_input,
        "all at once": lambda model: other_name(int32_inputs(fixed(1, 96)(model))),
    }
)


def _renamed_input(old: str, new: str) -> Form:
    def form(model: onnx.ModelProto) -> onnx.ModelProto:
        fresh = copy_of(model)
        for node in fresh.graph.node:
            node.input[:] = [new if name == old else name for name in node.input]
        for value in fresh.graph.input:
            value.name = new if value.name == old else value.name
        return fresh

    return form


def _float_mask(model: onnx.ModelProto) -> onnx.ModelProto:
    fresh = int32_inputs(model)
    fresh.graph.input[1].type.tensor_type.elem_type = TensorProto.FLOAT
    return fresh


def _two_tables(model: onnx.ModelProto) -> onnx.ModelProto:
    """Two outputs that could be the logits, and none is called so."""
    fresh = _renamed_output(model)
    fresh.graph.node.append(helper.make_node("Neg", ["score"], ["other"]))
    other = helper.make_tensor_value_info("other", TensorProto.FLOAT, ["batch", 1])
    fresh.graph.output.append(other)
    return fresh


def _renamed_output(model: onnx.ModelProto) -> onnx.ModelProto:
    fresh = copy_of(model)
    fresh.graph.node[-1].output[0] = "score"
    fresh.graph.output[0].name = "score"
    return fresh


def _no_mask(length: int) -> Form:
    def form(model: onnx.ModelProto) -> onnx.ModelProto:
        fresh = copy_of(model)
        mask = helper.make_node("Equal", ["input_ids", "input_ids"], ["ones"])
        cast = helper.make_node("Cast", ["ones"], ["mask"], to=TensorProto.INT64)
        for node in fresh.graph.node:
            node.input[:] = ["mask" if name == "attention_mask" else name for name in node.input]
        nodes = [mask, cast, *fresh.graph.node]
        del fresh.graph.node[:]
        fresh.graph.node.extend(nodes)
        del fresh.graph.input[1]
        return fixed(length=length)(fresh) if length else fresh

    return form


#: What is refused, and words that the refusal must have.
REFUSED: Mapping[str, tuple[Form, tuple[str, ...]]] = MappingProxyType(
    {
        "an unknown input": (_renamed_input("token_type_ids", "lang_id"), ("inputs lang_id",)),
        "no input_ids": (_renamed_input("input_ids", "position_ids"), ("no input input_ids",)),
        "a mask of float32": (_float_mask, ("attention_mask as float32", "int64 or int32")),
        "two possible outputs": (_two_tables, ("score (any, 1), other (any, 1)", "(pairs, 1)")),
        "a fixed length without a mask": (_no_mask(64), ("64 tokens", "attention_mask")),
        "too short for any pair": (fixed(length=4), ("4 tokens at most", "at least 5")),
    }
)


def plain(vocabulary: int) -> onnx.ModelProto:
    """The model that all forms are of."""
    return encoder(Shape(vocabulary))


def without_mask(vocabulary: int) -> onnx.ModelProto:
    """It reads padding as if it were text, so it must never get any."""
    return _no_mask(0)(plain(vocabulary))
