"""Writes the numbers of logits.json anew. Only for a new model, a new ONNX Runtime or another way
to run them, on purpose: `PYTHONPATH=py_src python -m tests.golden.pin` with .venv's Python, from
the repository's root, after a build."""

import asyncio
import datetime
import json
import platform
from pathlib import Path
from typing import Any

import onnxruntime
from playwright.sync_api import sync_playwright

from tools.browser import find_browser
from tools.serve import make_server
from webrerank import load_reranker

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "dist" / "models" / "ms-marco-MiniLM-L-12-v2"
LOGITS = Path(__file__).with_name("logits.json")

IN_BROWSER = """async (pairs) => {
  const { createReranker } = await import('/webrerank.js');
  const reranker = await createReranker({ device: 'wasm', dtype: 'q8', sessions: 1 });
  const logits = [];
  for (const { query, document } of pairs) {
    const { results } = await reranker.rerank({ query, documents: [document] });
    logits.push(results[0].logit);
  }
  await reranker.dispose();
  return logits;
}"""


def native_logits(pairs: list[dict[str, Any]]) -> list[float]:
    reranker = load_reranker(MODEL)

    async def score() -> list[Any]:
        return [
            (await reranker.rerank(pair["query"], [pair["document"]])).results[0].logit
            for pair in pairs
        ]

    return asyncio.run(score())


def wasm_logits(pairs: list[dict[str, Any]]) -> tuple[list[float], str]:
    server = make_server(ROOT / "dist", "127.0.0.1", 0)
    server.start()
    try:
        with sync_playwright() as playwright:
            path = find_browser(Path("python"))
            browser = playwright.chromium.launch(
                executable_path=path or None, args=["--no-sandbox", "--disable-quic"]
            )
            page = browser.new_page()
            page.goto(f"{server.url}files.json")
            logits: list[float] = page.evaluate(IN_BROWSER, pairs)
            version = browser.version
            browser.close()
    finally:
        server.stop()
    return logits, version


def processor() -> str:
    """The processor's name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = next((line for line in lines if line.startswith("flags")), "").split()
    vnni = "with" if {"avx512_vnni", "avx_vnni"} & set(flags) else "without"
    return f"{names[0] if names else platform.processor()}, {vnni} VNNI"


def main() -> None:
    """Score every pair of logits.json on both runtimes and write the file again."""
    pinned = json.loads(LOGITS.read_text(encoding="utf-8"))
    pairs = pinned["pairs"]
    native = native_logits(pairs)
    wasm, chromium = wasm_logits(pairs)
    for pair, on_native, on_wasm in zip(pairs, native, wasm, strict=True):
        pair["native"], pair["wasm"] = round(on_native, 6), round(on_wasm, 6)
    pinned["provenance"] = {
        "model": "ms-marco-MiniLM-L-12-v2, int8, sha256 in assets.toml",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "native": f"onnxruntime {onnxruntime.__version__}, {platform.machine()}, {processor()}",
        "wasm": f"ONNX Runtime Web 1.30.0, one thread, Chromium {chromium}, {platform.machine()}",
    }
    text = json.dumps(pinned, ensure_ascii=False, indent=2)
    LOGITS.write_text(text + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
