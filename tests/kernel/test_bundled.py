"""The bundled model in the kernel: the same bits everywhere, and close to fp32."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import wasmtime
from onnx import helper, numpy_helper

from tests.collection import read_collection
from tests.e2e.models import dequantize
from tests.kernel.conftest import load
from tests.kernel.reference import Ints, reference
from webrerank.adapters.kernel import KernelSession, compile_kernel
from webrerank.adapters.native import NativeTokenizer
from webrerank.model import read_model
from webrerank.pairs import EncodedPair

#: Made by this kernel, on x86-64 in wasmtime; logits as the hexadecimal digits of a float, so that
#: a bit that differs is seen. `pin` writes them anew, for a new model or another way to compute.
PINNED = Path(__file__).with_name("pinned.json")

LENGTHS = (1, 2, 3, 5, 8, 13, 16, 21, 32, 39, 40, 41, 64, 96, 128, 200, 256, 333, 400, 512)


def pair(length: int) -> tuple[Ints, Ints]:
    """A query of eight tokens and a document: no sense, but every part of the model at work."""
    place = np.arange(length, dtype=np.int64)
    ids = 1000 + place * 7919 % 28000
    ids[0], ids[-1] = 101, 102
    return ids, (place >= 8).astype(np.int64)


@pytest.fixture(scope="module")
def content(model_folder: Path) -> bytes:
    return (model_folder / "onnx" / "model_quantized.onnx").read_bytes()


@pytest.fixture(scope="module")
def sessions(modules: dict[str, wasmtime.Module], content: bytes) -> dict[str, KernelSession]:
    return {build: load(module, content) for build, module in modules.items()}


def logits_of(session: KernelSession) -> dict[str, str]:
    return {str(length): float(session.run(*pair(length))[0]).hex() for length in LENGTHS}


@pytest.mark.golden
@pytest.mark.parametrize("build", ["relaxed", "plain"])
def test_logits_are_the_pinned_ones_bit_for_bit(
    sessions: dict[str, KernelSession], build: str
) -> None:
    pinned = json.loads(PINNED.read_text(encoding="utf-8"))["logits"]
    assert len(pinned) == len(LENGTHS) == 20
    assert logits_of(sessions[build]) == pinned


def test_logits_are_the_references(sessions: dict[str, KernelSession], content: bytes) -> None:
    model = onnx.load_from_string(content)
    for length in (3, 41):
        ids, types = pair(length)
        answer = sessions["relaxed"].run(ids, types)
        np.testing.assert_allclose(answer, reference(model, ids, types), atol=1e-4, rtol=0)


def test_a_graph_whose_last_layer_is_cut_is_the_same_model(
    modules: dict[str, wasmtime.Module], sessions: dict[str, KernelSession], content: bytes
) -> None:
    """As web/lib/store/first-token.js cuts it for ONNX Runtime Web."""
    model = onnx.load_from_string(content)
    last = "/bert/encoder/layer.11/attention"
    cuts = {
        f"{last}/self/Reshape_3_output_0": "DynamicQuantizeLinear",
        "/bert/encoder/layer.10/output/LayerNorm/Add_1_output_0": "Add",
    }
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        for value, reader in cuts.items():
            if node.op_type == reader and value in node.input:
                cut = helper.make_node("Gather", [value, "first"], [f"cut:{value}"], axis=1)
                nodes.append(cut)
                node.input[list(node.input).index(value)] = f"cut:{value}"
        nodes.append(node)
    assert len(nodes) == len(model.graph.node) + len(cuts)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.append(numpy_helper.from_array(np.asarray([0]), "first"))
    ids, types = pair(41)
    answer = load(modules["relaxed"], model.SerializeToString()).run(ids, types)
    assert answer.tobytes() == sessions["relaxed"].run(ids, types).tobytes()


def test_memory_is_little_more_than_the_weights(
    sessions: dict[str, KernelSession], content: bytes
) -> None:
    sessions["relaxed"].run(*pair(512))
    assert sessions["relaxed"].memory_bytes < 1.3 * len(content)


def encoded_pairs(model_folder: Path, ir: Path) -> list[EncodedPair]:
    """Real pairs: each query with the first, the twentieth and the last of its candidates."""
    names = ("config.json", "tokenizer.json", "tokenizer_config.json")
    spec = read_model(*[(model_folder / name).read_text(encoding="utf-8") for name in names])
    tokenizer = NativeTokenizer(spec.tokenizer_json)
    collection = read_collection(ir / "trec-dl2019")
    texts = [
        [collection.queries[query], collection.documents[candidates[place]]]
        for query, candidates in collection.candidates.items()
        for place in (0, 19, -1)
    ]
    encoded = [tokenizer.encode_batch(pair) for pair in texts]
    return [spec.template.encode(query, document, 512) for query, document in encoded]


def run_native(session: onnxruntime.InferenceSession, pair: EncodedPair) -> float:
    feeds = {
        "input_ids": pair.input_ids[None],
        "attention_mask": np.ones_like(pair.input_ids)[None],
        "token_type_ids": pair.token_type_ids[None],
    }
    return float(np.asarray(session.run(None, feeds)[0])[0, 0])


def test_closer_to_fp32_than_onnxruntimes_int8(
    sessions: dict[str, KernelSession], model_folder: Path, content: bytes, ir: Path
) -> None:
    pairs = encoded_pairs(model_folder, ir)
    fp32 = onnxruntime.InferenceSession(dequantize(model_folder / "onnx/model_quantized.onnx"))
    int8 = onnxruntime.InferenceSession(content)
    wanted = np.asarray([run_native(fp32, pair) for pair in pairs])
    native = np.asarray([run_native(int8, pair) for pair in pairs])
    session = sessions["relaxed"]
    own = np.asarray([session.run(pair.input_ids, pair.token_type_ids)[0] for pair in pairs])
    distance, elsewhere = np.abs(own - wanted), np.abs(native - wanted)
    print(f"{len(pairs)} pairs: mean {distance.mean():.4f}, largest {distance.max():.3f}")
    print(f"onnxruntime's int8: mean {elsewhere.mean():.4f}, largest {elsewhere.max():.3f}")
    assert len(pairs) > 100
    assert distance.mean() <= 0.06
    assert distance.mean() < 0.5 * elsewhere.mean()


def pin() -> None:
    """`PYTHONPATH=py_src python -c "from tests.kernel.test_bundled import pin; pin()"`"""
    root = Path(__file__).resolve().parents[2]
    path = root / "dist/models/ms-marco-MiniLM-L-12-v2/onnx/model_quantized.onnx"
    session = load(compile_kernel("plain"), path.read_bytes())
    provenance = {
        "model": "ms-marco-MiniLM-L-12-v2, int8, sha256 in assets.toml",
        "kernel": "web/kernel/plain.wasm in wasmtime, x86-64",
        "inputs": "pair() in test_bundled.py; the key is the length in tokens",
    }
    pinned = {"provenance": provenance, "logits": logits_of(session)}
    PINNED.write_text(json.dumps(pinned, indent=2) + "\n", encoding="utf-8")
