"""Whatever a graph says: it is refused, or run as onnxruntime runs it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import wasmtime
from onnx import helper, numpy_helper

from tests.hub.tiny_models import ARCHITECTURES, make_model
from tests.kernel.conftest import Quantise, load
from tests.kernel.exported import VOCABULARY, Encoder, export
from tests.kernel.reference import reference
from webrerank import InferenceError, RerankError, UnsupportedModelError
from webrerank.adapters.kernel import KernelSession

#: A small model, so that 10,000 are quick.
TINY = Encoder(heads=1, size=8, layers=1, inner=16, positions=12, per_channel=True)
MUTATIONS = int(os.environ.get("WEBRERANK_MUTATIONS", "10000"))

IDS = np.asarray([5, 9, 11, 7, 3], np.int64)
TYPES = np.asarray([0, 0, 1, 1, 1], np.int64)


def native(model: bytes) -> Any:
    """What onnxruntime says; None if it refuses."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    inputs = {"input_ids": IDS, "attention_mask": np.ones_like(IDS), "token_type_ids": TYPES}
    try:
        session = onnxruntime.InferenceSession(model, options)
        wanted = {value.name: inputs[value.name][None] for value in session.get_inputs()}
        return np.asarray(session.run(None, wanted)[0])
    except Exception:  # its errors share no base class
        return None


def mutated(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    kind = rng.randrange(5)
    place = rng.randrange(len(changed))
    if kind == 0:
        changed[place] = rng.randrange(256)
    elif kind == 1:
        changed[place] ^= 1 << rng.randrange(8)
    elif kind == 2:
        del changed[place : place + rng.randrange(1, 9)]
    elif kind == 3:
        changed[place:place] = rng.randbytes(rng.randrange(1, 9))
    else:
        start = rng.randrange(len(changed))
        changed[place : place + 8] = changed[start : start + 8]
    return bytes(changed)


def rounds_like_the_reference(model: bytes, answer: Any) -> bool:
    """A scale that became huge makes the rounding of 7 bits matter; the kernel's is known."""
    expected = reference(onnx.load_from_string(model), IDS, TYPES)
    return bool(np.allclose(answer, expected, atol=1e-2, rtol=1e-2))


def test_mutations_are_refused_or_mean_what_they_say(
    relaxed: wasmtime.Module, quantised: Quantise
) -> None:
    content = quantised(TINY).read_bytes()
    rng = random.Random(12)
    accepted = wrong = 0
    for _ in range(MUTATIONS):
        model = mutated(content, rng)
        try:
            answer = load(relaxed, model).run(IDS, TYPES)
        except RerankError:
            continue  # refused, or without a row for an id
        accepted += 1
        if accepted % 10 or not np.isfinite(answer).all():
            continue  # onnxruntime takes long
        expected = native(model)
        if expected is not None and np.isfinite(expected).all():
            far = np.abs(answer - expected[0]).max() > 0.5 + 0.1 * np.abs(expected).max()
            wrong += bool(far) and not rounds_like_the_reference(model, answer)
    assert accepted > MUTATIONS // 20, "mostly weights change, which is another model"
    assert wrong == 0


def test_cuts_of_the_bundled_model(relaxed: wasmtime.Module, model_folder: Path) -> None:
    content = (model_folder / "onnx" / "model_quantized.onnx").read_bytes()
    for length in (0, 1, 10, 1000, 100_000, len(content) // 2, len(content) - 1):
        with pytest.raises(UnsupportedModelError):
            load(relaxed, content[:length])


def test_ids_types_and_lengths_beyond_the_model(
    relaxed: wasmtime.Module, quantised: Quantise
) -> None:
    session = load(relaxed, quantised(TINY).read_bytes())
    wanted = session.run(IDS, TYPES).tobytes()
    for wrong in (VOCABULARY, -1, 2**31, 2**40, -(2**63)):
        with pytest.raises(InferenceError, match="token"):
            session.run(np.asarray([5, wrong]), np.zeros(2, np.int64))
    with pytest.raises(InferenceError, match="token"):
        session.run(IDS, TYPES + 1)
    for length in (0, 13, 10_000):
        with pytest.raises(InferenceError, match="longer"):
            session.run(np.ones(length, np.int64), np.zeros(length, np.int64))
    assert session.run(IDS, TYPES).tobytes() == wanted


@pytest.mark.parametrize("kind", sorted(set(ARCHITECTURES) - {"bert-q8"}))
def test_other_models_are_left_to_onnxruntime(
    relaxed: wasmtime.Module, tmp_path: Path, kind: str
) -> None:
    folder = make_model(tmp_path, kind)
    [path] = folder.glob("onnx/*.onnx")
    files = [("", path.read_bytes())]
    files += [(data.name, data.read_bytes()) for data in folder.glob("onnx/*_data")]
    with pytest.raises(UnsupportedModelError, match=r"engine='onnxruntime'"):
        KernelSession(relaxed, files)


def find(model: onnx.ModelProto, op: str) -> onnx.NodeProto:
    found: list[onnx.NodeProto] = [node for node in model.graph.node if node.op_type == op]
    return found[-1]


def an_operator_too_many(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Softplus", ["logits"], ["unused"]))


def an_unknown_setting(model: onnx.ModelProto) -> None:
    find(model, "Softmax").attribute.append(helper.make_attribute("temperature", 2))


def an_own_domain(model: onnx.ModelProto) -> None:
    find(model, "Tanh").domain = "own"


def softmax_over_other_axes(model: onnx.ModelProto) -> None:
    find(model, "Softmax").attribute[0].i = 1


def another_token(model: onnx.ModelProto) -> None:
    name = find(model, "Gather").input[1]
    for node in model.graph.node:
        if name in node.output:
            node.attribute[0].t.CopyFrom(numpy_helper.from_array(np.asarray(1)))


def heads_and_tokens_swapped(model: onnx.ModelProto) -> None:
    find(model, "Transpose").attribute[0].ints[:] = [0, 1, 2, 3]


def a_second_answer(model: onnx.ModelProto) -> None:
    model.graph.output.append(model.graph.output[0])


def a_hidden_token(model: onnx.ModelProto) -> None:
    """The mask of one token is lowered by a number that depends on nothing."""
    for node in model.graph.node:
        if node.op_type == "Sub" and "Cast" in node.input[1]:
            node.op_type = "Add"


@pytest.mark.parametrize(
    "change",
    [
        an_operator_too_many,
        an_unknown_setting,
        an_own_domain,
        softmax_over_other_axes,
        another_token,
        heads_and_tokens_swapped,
        a_second_answer,
        a_hidden_token,
    ],
)
def test_what_is_not_understood_in_every_node_is_refused(
    relaxed: wasmtime.Module, quantised: Quantise, change: Callable[[onnx.ModelProto], None]
) -> None:
    model = onnx.load(quantised(Encoder(heads=1, size=16)))
    load(relaxed, model.SerializeToString())
    before = model.SerializeToString()
    change(model)
    assert model.SerializeToString() != before
    with pytest.raises(UnsupportedModelError):
        load(relaxed, model.SerializeToString())


def test_floats_are_refused(relaxed: wasmtime.Module) -> None:
    with pytest.raises(UnsupportedModelError):
        load(relaxed, export(Encoder()).SerializeToString())


def test_weights_beside_the_graph(
    relaxed: wasmtime.Module, quantised: Quantise, tmp_path: Path
) -> None:
    inside = quantised(TINY)
    path = tmp_path / "model.onnx"
    onnx.save_model(
        onnx.load(inside), path, save_as_external_data=True, location="data", size_threshold=0
    )
    graph, data = path.read_bytes(), (tmp_path / "data").read_bytes()
    session = KernelSession(relaxed, [("", graph), ("other", b""), ("data", data)])
    wanted = load(relaxed, inside.read_bytes()).run(IDS, TYPES)
    assert session.run(IDS, TYPES).tobytes() == wanted.tobytes()
    for files in ([("", graph)], [("", graph), ("data", data[:-1])]):
        with pytest.raises(UnsupportedModelError):
            KernelSession(relaxed, files)
