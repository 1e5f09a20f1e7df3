"""The one model that all peers run: the bundled one, as built into dist/."""

from __future__ import annotations

from pathlib import Path

from webrerank.adapters.native import NativeTokenizer
from webrerank.model import read_model

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
MODEL = "ms-marco-MiniLM-L-12-v2"
MODEL_FOLDER = DIST / "models" / MODEL
MODEL_FILE = MODEL_FOLDER / "onnx" / "model_quantized.onnx"

SPEC = read_model(
    *(
        (MODEL_FOLDER / name).read_text(encoding="utf-8")
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json")
    )
)
TOKENIZER = NativeTokenizer(SPEC.tokenizer_json)
MAX_LENGTH = SPEC.max_length
