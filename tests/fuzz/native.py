"""What the oracle's process does: rerank natively, with the same Python as in the browser."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import onnxruntime as ort

from webrerank import load_reranker
from webrerank.errors import error_for_code

#: A model's files by name; its weights are model.onnx.
Files = dict[str, bytes]

QUERY = "How many people live in Berlin?"
DOCUMENTS = [
    "Berlin has a population of 3,520,031 registered inhabitants in 891.82 km².",
    " ",
    "New York City is famous for the Metropolitan Museum of Art. " * 30,
    "café naïve Straße 東京 тест 🙂",
    "a",
]


def rerank(files: Files, request: dict[str, Any], optimise: bool = True) -> list[Any]:
    """The (index, logit) of each result of a request, best first."""
    with tempfile.TemporaryDirectory() as name:
        for path, content in files.items():
            (Path(name) / path).write_bytes(content)
        options = ort.SessionOptions if optimise else _plain_options
        with mock.patch.object(ort, "SessionOptions", options):
            reranker = load_reranker(name, sessions=1)
        ranking = asyncio.run(reranker.rerank(**request))
        return [(result.index, result.logit) for result in ranking.results]


def logits(files: Files, optimise: bool = True) -> list[float | None]:
    """The logits of DOCUMENTS, in their order."""
    ranking = rerank(files, {"query": QUERY, "documents": DOCUMENTS}, optimise)
    return [logit for _, logit in sorted(ranking, key=lambda row: row[0])]


_Options = ort.SessionOptions


def _plain_options() -> Any:
    """As the model stands there: nothing is fused or folded."""
    options = _Options()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return options


def judge(answer: Any) -> str:
    """What is wrong with how a native call ended; see Oracle.ask."""
    if answer is None or answer[0] == "value":
        return ""  # a library that dies or hangs: nothing of ours can keep it from that
    _, kind, text, code = answer
    if code is None or code == "internal" or error_for_code(code, "").code != code:
        return f"Python raises {kind}: {text}"
    if code == "invalid_request" and "max_length" in text:
        return f"a good call is refused for what is wrong with the model: {text}"
    return ""
