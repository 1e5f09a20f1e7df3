"""Which file of a model's folder holds which precision. Must not know where the folder is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

#: The hub's file names for each precision, first found wins: those of web/lib/store/layout.js.
MODEL_FILES = {
    "q8": (
        *("onnx/model_quantized.onnx", "onnx/model_int8.onnx", "onnx/model_uint8.onnx"),
        *("onnx/model_quint8_avx2.onnx", "onnx/model_qint8_avx512_vnni.onnx"),
        *("onnx/model_qint8_arm64.onnx", "model_quantized.onnx"),
    ),
    "fp16": ("onnx/model_fp16.onnx", "model_fp16.onnx"),
    "fp32": ("onnx/model.onnx", "model.onnx"),
}

#: What tells the precision in any other name, as in layout.js. 4 bits are none of ours.
_OTHER_PRECISION = r"(^|[^a-z0-9])(q[1-6]|q4f16|bnb4|u?int4|nf4|fp8|bf16)([^a-z0-9]|$)"
_IN_NAME = {
    "q8": r"(^|[^a-z0-9])(q8|q?u?int8|quantized|quant|8bit)([^a-z0-9]|$)",
    "fp16": r"(^|[^a-z0-9])(fp16|float16|f16|half)([^a-z0-9]|$)",
    "fp32": r"(^|[^a-z0-9])(fp32|float32|f32)([^a-z0-9]|$)",
}


def model_paths(paths: Iterable[str]) -> dict[str, str]:
    """Which precisions a folder has, from the paths of its files: `modelPaths` of layout.js.

    By the names that are usual, else by any name that tells it; a sole ONNX file whose name tells
    nothing is taken for fp32.
    """
    found = sorted(
        (path for path in paths if path.endswith(".onnx")),
        key=lambda path: (path.count("/"), path),
    )
    told = {path: _precision_in(path) for path in found}
    chosen = {}
    for dtype, usual in MODEL_FILES.items():
        names = [path for path in usual if path in told]
        names += [path for path in found if told[path] == dtype]
        if dtype == "fp32" and len(found) == 1 and told[found[0]] is None:
            names += found
        if names:
            chosen[dtype] = names[0]
    return chosen


def _precision_in(path: str) -> str | None:
    name = PurePosixPath(path).name.lower()
    if re.search(_OTHER_PRECISION, name):
        return "other"
    return next((dtype for dtype, words in _IN_NAME.items() if re.search(words, name)), None)
