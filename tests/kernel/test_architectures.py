"""The kernel runs the BERT family: both builds give what onnx's reference evaluator gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import wasmtime

from tests.hub.graphs import Shape, encoder
from tests.kernel.conftest import Quantise, load
from tests.kernel.exported import VOCABULARY, Encoder
from tests.kernel.reference import Ints, reference
from webrerank.adapters.kernel import KernelSession

ENCODERS = {
    "bert": Encoder(),
    "bert, one layer": Encoder(layers=1),
    "bert, two labels": Encoder(labels=2),
    "bert, no pooler": Encoder(pooler=False),
    "bert, no types": Encoder(types=False),
    "bert, relu": Encoder(activation="relu"),
    "bert, heads of 64": Encoder(heads=3, size=64, inner=200),
    "bert, heads of 16": Encoder(heads=5, size=16),
    "bert, one operator a norm": Encoder(fused=True),
    "bert, u8": Encoder(unsigned=True),
    "bert, s8 per channel": Encoder(per_channel=True),
    "bert, u8 per channel": Encoder(per_channel=True, unsigned=True, labels=2),
    "bert, float embeddings": Encoder(quantised=("MatMul",)),
    "roberta": Encoder(types=False, type_buffer=True, padding=1),
    "xlm-roberta, per channel": Encoder(
        types=False, type_buffer=True, padding=1, heads=3, per_channel=True, fused=True
    ),
    "no positions": Encoder(positions=0),
}
LENGTHS = (1, 2, 7, 8, 9, 33)


def pair(length: int, shape: Encoder) -> tuple[Ints, Ints]:
    rng = np.random.default_rng(length)
    ids = rng.integers(3, VOCABULARY, length)
    if shape.padding is not None and length > 4:
        ids[3] = shape.padding  # a text may say it
    types = (np.arange(length) > length // 2).astype(np.int64) * shape.types
    return ids, types


@pytest.mark.parametrize("kind", ENCODERS)
def test_logits_are_the_references(
    modules: dict[str, wasmtime.Module], quantised: Quantise, kind: str
) -> None:
    shape = ENCODERS[kind]
    path = quantised(shape)
    sessions = [load(module, path.read_bytes()) for module in modules.values()]
    model = onnx.load(path)
    seen = set()
    for length in LENGTHS:
        ids, types = pair(length, shape)
        relaxed, plain = (session.run(ids, types) for session in sessions)
        assert relaxed.tobytes() == plain.tobytes(), "the builds differ"
        np.testing.assert_allclose(relaxed, reference(model, ids, types), atol=1e-4, rtol=0)
        seen.add(relaxed.tobytes())
    assert len(seen) == len(LENGTHS), "the model tells nothing apart"


def test_onnxruntime_says_nearly_the_same(relaxed: wasmtime.Module, quantised: Quantise) -> None:
    """The reference evaluator and the kernel could be wrong together."""
    for shape in ENCODERS.values():
        path = quantised(replace(shape, reduced=True))
        session = onnxruntime.InferenceSession(path)
        ids, types = pair(16, shape)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": types}
        wanted = {name: inputs[name][None] for name in shape.inputs}
        [[*expected]] = session.run(None, wanted)[0]
        answer = load(relaxed, path.read_bytes()).run(ids, types)
        np.testing.assert_allclose(answer, expected, atol=0.35, rtol=0)


@pytest.mark.parametrize(
    "shape",
    [
        Shape(VOCABULARY),
        Shape(VOCABULARY, labels=2, layers=1),
        Shape(VOCABULARY, ("input_ids", "attention_mask"), first_position=2, positions=42),
    ],
)
def test_models_of_the_other_tests(relaxed: wasmtime.Module, shape: Shape) -> None:
    model = encoder(shape, "q8")
    session = load(relaxed, model.SerializeToString())
    ids, types = pair(21, Encoder(types=len(shape.inputs) == 3))
    answer, expected = session.run(ids, types), reference(model, ids, types)
    np.testing.assert_allclose(answer, expected, atol=1e-4, rtol=0)


def test_the_order_of_runs_and_their_lengths_change_no_bit(
    relaxed: wasmtime.Module, quantised: Quantise
) -> None:
    content = quantised(ENCODERS["bert"]).read_bytes()
    pairs = [pair(length, ENCODERS["bert"]) for length in range(1, 41)]
    alone = [load(relaxed, content).run(*one).tobytes() for one in pairs]
    session: KernelSession = load(relaxed, content)
    for seed in range(20):
        for place in np.random.default_rng(seed).permutation(len(pairs)):
            assert session.run(*pairs[place]).tobytes() == alone[place]
