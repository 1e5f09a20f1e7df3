"""The kernel and ONNX Runtime Web by turns, one thread each, pair by pair, by length in tokens.

`PYTHONPATH=py_src .venv/bin/python -m bench.engines` after a build, on an idle machine; it prints a
table.
"""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import sync_playwright

from tests.e2e.support import make_site
from tools.browser import find_browser
from tools.serve import make_server

LENGTHS = (16, 32, 64, 96, 128, 256, 512)
ROUNDS = 15

#: Multiplications of the bundled model's products with weights, for each token: eleven layers, and
#: query, key and content of the last.
PER_TOKEN = 11 * (4 * 384 * 384 + 2 * 384 * 1536) + 2 * 384 * 384
#: And of its attention, for each pair of tokens.
PER_PAIR = 11 * 2 * 384

IN_PAGE = """async ({ lengths, rounds }) => {
  const { splitWeights, WEIGHTS } = await import('/lib/store/onnx.js');
  const { KernelSession } = await import('/workers/kernel-session.js');
  const { OrtSession } = await import('/workers/ort-session.js');
  const url = '/models/ms-marco-MiniLM-L-12-v2/onnx/model_quantized.onnx';
  const data = await (await fetch(url)).blob();
  const { graph } = splitWeights(new Uint8Array(await data.arrayBuffer()));
  const files = { graph: new Blob(graph), externalData: [{ path: WEIGHTS, data }] };
  const loadMs = {};
  const load = async (name, work) => {
    const started = performance.now();
    const session = await work();
    loadMs[name] = performance.now() - started;
    return [name, session];
  };
  const sessions = [
    await load('kernel', () => KernelSession.load(files)),
    await load('onnxruntime', () => OrtSession.load('wasm', files)),
  ];
  const byLength = [];
  for (const length of lengths) {
    const fill = (value) => BigInt64Array.from({ length }, (_, place) => BigInt(value(place)));
    const feeds = {
      input_ids: fill((place) => 1000 + ((place * 7919) % 28000)),
      attention_mask: fill(() => 1),
      token_type_ids: fill((place) => Number(place >= 8)),
    };
    const batch = { feeds, output: 'logits', rows: 1, length };
    const times = { kernel: [], onnxruntime: [] };
    for (let round = -3; round < rounds; round++) {
      for (const [name, session] of sessions) {
        const started = performance.now();
        await session.run(batch);
        if (round >= 0) times[name].push(performance.now() - started);
      }
    }
    byLength.push({ length, ...times });
  }
  return { loadMs, byLength };
}"""


def measure(folder: Path) -> dict[str, Any]:
    server = make_server(make_site(folder), "127.0.0.1", 0)
    server.start()
    try:
        with sync_playwright() as playwright:
            path = os.environ.get("WEBRERANK_BROWSER") or find_browser(Path("python"))
            browser = playwright.chromium.launch(
                executable_path=path or None, args=["--no-sandbox", "--disable-quic"]
            )
            page = browser.new_page()
            page.goto(server.url + "blank.html")
            measured: dict[str, Any] = page.evaluate(
                IN_PAGE, {"lengths": list(LENGTHS), "rounds": ROUNDS}
            )
            measured["chromium"] = browser.version
            browser.close()
    finally:
        server.stop()
    return measured


def main() -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        measured = measure(Path(folder))
    print(f"Chromium {measured['chromium']}; load {measured['loadMs']}")
    print("| tokens | kernel, ms | ONNX Runtime Web, ms | ratio | kernel, GMAC/s |")
    print("| --- | --- | --- | --- | --- |")
    for row in measured["byLength"]:
        length = row["length"]
        own, other = median(row["kernel"]), median(row["onnxruntime"])
        rate = (PER_TOKEN * length + PER_PAIR * length**2) / own / 1e6
        print(f"| {length} | {own:.1f} | {other:.1f} | {other / own:.2f} | {rate:.0f} |")


if __name__ == "__main__":
    main()
