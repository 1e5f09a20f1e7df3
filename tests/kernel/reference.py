"""What the kernel should say, by another way: onnx's own reference evaluator runs the very graph in
numpy, one operator after the other; only quantisation is the kernel's, 7 bits for each row."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

Ints = NDArray[np.int64]


class DynamicQuantizeLinear(OpRun):
    """Of each row by itself, to 0..127; scales and zero points get a last axis of one."""

    op_domain = ""

    def _run(self, x: Any) -> Any:
        least = np.minimum(x.min(axis=-1, keepdims=True), 0)
        span = np.maximum(x.max(axis=-1, keepdims=True), 0) - least
        inverse = np.float32(127) / span
        zero = np.rint(-least * inverse)
        values = np.clip(np.rint(x * inverse) + zero, 0, 127)
        return values.astype(np.uint8), span / np.float32(127), zero.astype(np.uint8)


class MatMulInteger(OpRun):
    op_domain = ""

    def _run(self, a: Any, b: Any, a_zero: Any = 0, b_zero: Any = 0) -> Any:
        left = a.astype(np.int64) - np.asarray(a_zero, np.int64)
        right = b.astype(np.int64) - np.asarray(b_zero, np.int64)
        return ((left @ right).astype(np.int32),)


class DequantizeLinear(OpRun):
    """onnx's own knows newer versions only."""

    op_domain = ""

    def _run(self, x: Any, scale: Any, zero: Any = 0, **ignored: Any) -> Any:
        return ((x.astype(np.float32) - np.asarray(zero, np.float32)) * scale,)


OPERATORS = [DynamicQuantizeLinear, MatMulInteger, DequantizeLinear]


def reference(model: onnx.ModelProto, ids: Ints, types: Ints) -> NDArray[np.float32]:
    """The logits of one pair, shape (labels,)."""
    inputs: dict[str, Ints] = {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "token_type_ids": types,
    }
    wanted = {value.name: inputs[value.name][None] for value in model.graph.input}
    answers: Any = ReferenceEvaluator(model, new_ops=OPERATORS).run(None, wanted)
    return np.asarray(answers[0][0], np.float32)
