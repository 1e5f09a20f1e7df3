"""Pyodide: the wasm build of Hugging Face tokenizers, behind web/workers/tokenizer.js."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pyodide.ffi import JsException, to_js

from webrerank.errors import TokenizationError
from webrerank.pairs import IntArray


class PyodideTokenizer:
    """Implements the Tokenizer port over a JavaScript BatchTokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def encode_batch(self, texts: Sequence[str]) -> list[IntArray]:
        try:
            encoded = self._tokenizer.encodeBatch(to_js(list(texts)))
        except JsException as error:
            raise TokenizationError(
                "The tokenizer failed on a text, as a damaged one does. Choose another model."
            ) from error
        ids = np.asarray(encoded.ids.to_py(), np.int32)
        ends = np.asarray(encoded.ends.to_py(), np.int32)
        return np.split(ids, ends[:-1]) if len(ends) else []
