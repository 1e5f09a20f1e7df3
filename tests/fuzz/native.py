"""What the oracle's process does: run a model, or read a model's texts, natively."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from tests.fakes import FakePool
from webrerank import Reranker
from webrerank.adapters.native import NativeTokenizer
from webrerank.model import read_model
from webrerank.results import RuntimeInfo

#: One batch: ids, mask and types of one pair.
Batch = dict[str, list[int]]


def model_outputs(files: dict[str, bytes], batches: list[Batch], optimise: bool) -> list[Any]:
    """The first output of a model for each batch; external data lies beside it."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        if not optimise:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = ort.InferenceSession(
            str(Path(folder) / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        names = [value.name for value in session.get_inputs()]
        outputs = []
        for batch in batches:
            feeds = {name: np.asarray([batch[name]], np.int64) for name in names}
            found = np.asarray(session.run(None, feeds)[0])
            outputs.append([float(number) for number in found.ravel()[:1000]])
        return outputs


def sum_of_ids(input_ids: Any, _types: Any) -> list[float]:
    """A model that tells every pair from every other by what it reads; lab.js has the same."""
    total = 0
    for token in input_ids.tolist():
        total = (total * 31 + int(token)) % 65_521
    return [total / 1000]


def rerank_with_texts(texts: tuple[str, str, str], query: str, documents: list[str]) -> list[Any]:
    """Logits by `sum_of_ids` with a model's config.json, tokenizer.json, tokenizer_config.json."""
    spec = read_model(*texts)
    tokenizer = NativeTokenizer(spec.tokenizer_json)
    pool = _Pool()
    reranker = Reranker(spec, tokenizer, pool, RuntimeInfo("fuzz", "cpu", "fp32", 1))
    ranking = asyncio.run(reranker.rerank(query, documents))
    return [result.logit for result in sorted(ranking.results, key=lambda result: result.index)]


class _Pool(FakePool):
    """Takes ids of any size, as the page's stand-in for a session does."""

    def __init__(self) -> None:
        super().__init__(capacity=1, model=sum_of_ids)

    def _outputs(self, batch: Any) -> Any:
        return np.asarray([sum_of_ids(ids, None) for ids in batch.input_ids], np.float32)
