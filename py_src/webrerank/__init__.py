"""Rerank documents with a cross-encoder: the same code in Pyodide and in CPython.

```python
reranker = load_reranker("dist/models/ms-marco-MiniLM-L-12-v2")
ranking = await reranker.rerank("how long may I stay?", ["ninety days", "a recipe"])
ranking.results[0].index
```
"""

from __future__ import annotations

from pathlib import Path

from webrerank.errors import (
    InferenceError,
    InvalidRequestError,
    ModelError,
    ModelIntegrityError,
    ModelLoadError,
    OutOfMemoryError,
    RerankError,
    RuntimeLoadError,
    TokenizationError,
    UnsupportedModelError,
    WorkerCrashedError,
)
from webrerank.reranker import Reranker
from webrerank.results import Ranking, RerankResult, Usage

__version__ = "0.1.0"

__all__ = [
    "InferenceError",
    "InvalidRequestError",
    "ModelError",
    "ModelIntegrityError",
    "ModelLoadError",
    "OutOfMemoryError",
    "Ranking",
    "RerankError",
    "RerankResult",
    "Reranker",
    "RuntimeLoadError",
    "TokenizationError",
    "UnsupportedModelError",
    "Usage",
    "WorkerCrashedError",
    "__version__",
    "load_reranker",
]


def load_reranker(
    folder: str | Path,
    *,
    dtype: str | None = "auto",
    sessions: int | None = None,
    cache: bool | None = True,
    engine: str | None = "onnxruntime",
) -> Reranker:
    """Load a model folder and run it in CPython.

    None for an option is the same as leaving it out.

    Args:
        folder: a folder in the hub's layout: config.json, tokenizer.json, onnx/model*.onnx.
        dtype: "auto" takes q8 where the folder has it, else fp32; or "q8", "fp16", "fp32".
        sessions: how many single-threaded sessions run side by side; default: the cores.
        cache: keep logits, so that a pair is scored once.
        engine: "onnxruntime", the native one and the faster; or "kernel", the project's own for
            int8 models of the BERT family, whose logits are the same, bit for bit, on every
            machine.

    Raises:
        RuntimeLoadError: onnxruntime, wasmtime or tokenizers is not installed.
        ModelLoadError: a file is missing or cannot be read.
        UnsupportedModelError: the model is no cross-encoder this package can run.
    """
    # Imported here: the core must import in Pyodide, where native onnxruntime does not exist.
    try:
        from webrerank.adapters.native import load_reranker as load

        pools = {}
        if engine == "kernel":
            from webrerank.adapters.kernel import KernelSessionPool

            pools["kernel"] = KernelSessionPool
    except ModuleNotFoundError as error:
        extra = {"onnxruntime": "native", "tokenizers": "native", "wasmtime": "kernel"}
        if error.name not in extra:
            raise
        raise RuntimeLoadError(
            f"load_reranker needs {error.name}, which is not installed. Install it with "
            f"pip install 'webrerank[{extra[error.name]}]'.",
            retryable=False,
        ) from error

    return load(
        Path(folder),
        dtype="auto" if dtype is None else dtype,
        sessions=sessions,
        cache=cache is None or cache,
        engine=engine or "onnxruntime",
        pools=pools,
    )
