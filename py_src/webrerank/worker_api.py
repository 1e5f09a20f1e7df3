"""The Python half of the worker: carries calls from web/workers/python-worker.js to the reranker.

Nothing raises across the border: a Python traceback could hold the user's text. Each call is a
task that answers {value} or {error}; see web/lib/protocol.js for what they hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import numpy as np
from pyodide.ffi import JsException, to_js

from webrerank.adapters.pyodide_sessions import PyodideSessionPool
from webrerank.adapters.pyodide_tokenizer import PyodideTokenizer
from webrerank.cache import ScoreCache
from webrerank.errors import RerankError, UnsupportedModelError, error_from_js
from webrerank.interface import check_answer
from webrerank.model import ModelSpec, read_model
from webrerank.onnx_graph import read_graph
from webrerank.request import check_request
from webrerank.reranker import Reranker
from webrerank.results import Ranking, RerankResult, RuntimeInfo
from webrerank.schedule import batch_shapes, trial_batch

#: Pairs a run may hold. On WebAssembly one: int8 activations are quantised over the whole batch,
#: so a neighbour would change the logit (docs/platform.md).
_ROWS = {"wasm": 1, "webgpu": 8}

#: Lengths that runs are padded to. A GPU compiles for shapes, so there are to be few of them.
_LENGTHS = {"wasm": (), "webgpu": (32, 64, 96, 128, 192, 256, 384, 512)}

#: The options of a call as JavaScript calls them; the others have the same name.
_NAMES = {
    "top_k": "topK",
    "min_score": "minScore",
    "max_length": "maxLength",
    "long_documents": "longDocuments",
}


class WorkerApi:
    """What the worker may call; one model, many reranks.

    Args:
        in_time: how the session pool waits, see there.
    """

    def __init__(self, in_time: Any) -> None:
        self._in_time = in_time
        self._reranker: Reranker | None = None
        self._pool: PyodideSessionPool | None = None
        self._spec: ModelSpec | None = None

    def load(
        self,
        config: str,
        tokenizer: str,
        tokenizer_config: str,
        graph: Any,
        load_tokenizer: Any,
        runtime: Any,
    ) -> asyncio.Task[Any]:
        """Read the model's files and make its tokenizer; sessions are attached afterwards.

        Args:
            graph: the ONNX file, a Uint8Array; its weights may have been taken out.

        Answers with the shapes (rows, length) that runs will often have, to compile for.
        """
        texts = (config, tokenizer, tokenizer_config)
        return _answer(self._load(texts, graph, load_tokenizer, runtime))

    def attach(self, index: int, port: Any) -> None:
        """A session is ready."""
        assert self._pool is not None
        self._pool.attach(index, port)

    def detach(self, index: int, stopped: bool) -> None:
        """A session is gone: it died, or was stopped."""
        if self._pool is not None:
            self._pool.detach(index, stopped)

    def check_answer(self) -> asyncio.Task[Any]:
        """Refuse a model that answers what no reranker does, if its graph does not say it."""
        return _answer(self._check_answer())

    def computing_cancelled(self) -> Any:
        """Indexes of the sessions that compute what was cancelled."""
        return to_js(self._pool.computing_cancelled() if self._pool else [])

    def rerank(self, payload: Any, emit: Any) -> asyncio.Task[Any]:
        """Rerank; cancelling the task cancels the call."""
        return _answer(self._rerank(payload, emit))

    async def _load(
        self, texts: tuple[str, str, str], graph: Any, load_tokenizer: Any, runtime: Any
    ) -> Any:
        spec = read_model(*texts, graph=read_graph(graph.to_py()))
        try:
            native = await load_tokenizer(spec.tokenizer_json)
        except JsException as error:
            raise error_from_js(error, UnsupportedModelError) from error
        info = RuntimeInfo(runtime.model, runtime.device, runtime.dtype, runtime.sessions)
        cache = ScoreCache() if runtime.cache else None
        self._spec = spec
        self._pool = _pool_for(spec, info, self._in_time)
        self._reranker = Reranker(
            spec, PyodideTokenizer(native), self._pool, info, cache, runtime.runBytes
        )
        return batch_shapes(self._pool)

    async def _check_answer(self) -> None:
        assert self._spec is not None and self._pool is not None
        if not self._spec.interface.is_certain:
            check_answer(await self._pool.run(trial_batch(self._spec, self._pool)))

    async def _rerank(self, payload: Any, emit: Any) -> Any:
        assert self._reranker is not None
        request = check_request(
            payload.query,
            payload.texts.to_py(),
            top_k=payload.topK,
            min_score=payload.minScore,
            max_length=payload.maxLength,
        )
        last: RerankResult | None = None

        def on_result(result: RerankResult) -> None:
            nonlocal last
            last = result if payload.wantResults else None

        def on_progress(done: int, total: int) -> None:
            emit(to_js({"done": done, "total": total, "result": _row(last)}))

        return _columns(await self._reranker.run(request, on_progress, on_result))


def _pool_for(spec: ModelSpec, info: RuntimeInfo, in_time: Any) -> PyodideSessionPool:
    interface, rows = spec.interface, _ROWS[info.device]
    lengths = sorted({min(length, spec.max_length) for length in _LENGTHS[info.device]})
    if interface.length:
        lengths = [interface.length]
    if not interface.may_pad:
        lengths, rows = [], 1
    rows = min(rows, interface.rows or rows)
    return PyodideSessionPool(info.sessions, rows, lengths, interface, in_time=in_time)


def _row(result: RerankResult | None) -> dict[str, Any] | None:
    if result is None:
        return None
    return {
        "index": result.index,
        "score": result.score,
        "logit": float("nan") if result.logit is None else result.logit,
        "truncated": result.truncated,
        "error": result.error and _wire(result.error),
    }


def _columns(ranking: Ranking) -> dict[str, Any]:
    """One array a column: thousands of small objects would be slow to carry over."""
    results, usage = ranking.results, ranking.usage
    logits = [float("nan") if result.logit is None else result.logit for result in results]
    return {
        "index": np.asarray([result.index for result in results], np.int32),
        "score": np.asarray([result.score for result in results], np.float64),
        "logit": np.asarray(logits, np.float64),
        "truncated": np.asarray([result.truncated for result in results], np.uint8),
        "errors": [
            {"row": row, "error": _wire(result.error)}
            for row, result in enumerate(results)
            if result.error
        ],
        "usage": {
            "documents": usage.documents,
            "pairs": usage.pairs,
            "cached": usage.cached,
            "failed": usage.failed,
            "tokens": usage.tokens,
            "queryTruncated": usage.query_truncated,
            "tokenizeMs": usage.tokenize_ms,
            "inferenceMs": usage.inference_ms,
            "totalMs": usage.total_ms,
        },
    }


def _wire(error: RerankError) -> dict[str, Any]:
    """What lib/errors.js makes an error of."""
    return {
        "code": error.code,
        "message": error.message_with(_NAMES),
        "retryable": error.retryable,
        "cause": _kind(error.__cause__),
    }


def _kind(error: BaseException | None) -> str | None:
    """The type of what was raised below; its words could be the user's."""
    return None if error is None else type(error).__name__


def _answer(call: Awaitable[Any]) -> asyncio.Task[Any]:
    """Run a call as a task that never raises, but for a cancel."""

    async def answer() -> Any:
        try:
            return to_js({"value": await call})
        except RerankError as error:
            failure = _wire(error)
        except Exception as error:  # anything else is a bug; its text may be the user's
            kind = type(error).__name__
            message = (
                f"Something went wrong inside webrerank ({kind}). Report it with what you did."
            )
            failure = {"code": "internal", "message": message, "retryable": False}
            failure["cause"] = _kind(error)
        return to_js({"error": failure})

    return asyncio.ensure_future(answer())
