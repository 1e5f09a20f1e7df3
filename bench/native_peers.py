"""Peers outside the browser, all on native onnxruntime with two threads."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import onnxruntime as ort

from bench.document_sets import DocumentSet, encode
from bench.model import MODEL, MODEL_FILE, MODEL_FOLDER, ROOT, SPEC
from bench.peers import Measurement, Peer
from webrerank import load_reranker
from webrerank.pairs import pad_batch

THREADS = 2

#: The reference of the score check, and of the targets.
NATIVE = "native onnxruntime"


@dataclass(frozen=True)
class NativePeer:
    """A function from a query and documents to logits in input order."""

    name: str
    score: Callable[[str, list[str]], Sequence[float]]

    def rerank(self, documents: DocumentSet) -> Measurement:
        started = perf_counter()
        logits = self.score(documents.query, documents.documents)
        ms = (perf_counter() - started) * 1000
        return Measurement(ms, [float(logit) for logit in logits])

    def close(self) -> None:
        """Nothing to free before the end."""


def native_peers() -> list[Peer]:
    """All of them."""
    session = _session()
    return [
        NativePeer(NATIVE, lambda query, documents: _in_batches(session, query, documents, 1)),
        NativePeer("webrerank in CPython", _webrerank()),
        NativePeer("FlashRank", _flashrank()),
        NativePeer(
            "sentence-transformers' batching, native onnxruntime",
            lambda query, documents: _in_batches(session, query, documents, 32),
        ),
    ]


def _session() -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.log_severity_level = 3
    return ort.InferenceSession(str(MODEL_FILE), options, providers=["CPUExecutionProvider"])


def _in_batches(
    session: ort.InferenceSession, query: str, documents: list[str], rows: int
) -> list[float]:
    """Longest first, in padded batches: with 32 rows as sentence-transformers' `predict` does."""
    pairs = encode(query, documents)
    order = sorted(range(len(pairs)), key=lambda place: -len(pairs[place].input_ids))
    logits = [0.0] * len(pairs)
    for start in range(0, len(order), rows):
        places = order[start : start + rows]
        batch = pad_batch([pairs[place] for place in places], SPEC.pad_id)
        (output,) = session.run(None, vars(batch))
        for place, row in zip(places, output, strict=True):
            logits[place] = float(row[0])
    return logits


def _webrerank() -> Callable[[str, list[str]], Sequence[float]]:
    reranker = load_reranker(MODEL_FOLDER, sessions=THREADS, cache=False)
    # Playwright keeps this thread's event loop for itself.
    executor = ThreadPoolExecutor(1, thread_name_prefix="webrerank-bench")

    def score(query: str, documents: list[str]) -> list[float]:
        ranking = executor.submit(asyncio.run, reranker.rerank(query, documents)).result()
        by_place = sorted(ranking.results, key=lambda result: result.index)
        return [float(result.logit or 0) for result in by_place]

    return score


def _flashrank() -> Callable[[str, list[str]], Sequence[float]]:
    """The package itself, on the same file; its session alone is replaced, to have two threads."""
    from flashrank import Ranker, RerankRequest
    from flashrank.Config import model_file_map

    cache = ROOT / ".build" / "bench" / "flashrank"
    _flashrank_folder(cache / MODEL, model_file_map[MODEL])
    ranker = Ranker(MODEL, cache_dir=str(cache), log_level="ERROR")
    ranker.session = _session()

    def score(query: str, documents: list[str]) -> list[float]:
        passages = [{"id": index, "text": text} for index, text in enumerate(documents)]
        scores = np.zeros(len(documents))
        for passage in ranker.rerank(RerankRequest(query, passages)):
            scores[passage["id"]] = passage["score"]
        return [float(logit) for logit in np.log(scores / (1 - scores))]

    return score


def _flashrank_folder(folder: Path, model_name: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy2(MODEL_FILE, folder / model_name)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy2(MODEL_FOLDER / name, folder / name)
    (folder / "special_tokens_map.json").write_text("{}", encoding="utf-8")
