"""lib/store/first-token.js: a graph computes less and says the same; in doubt it is left alone."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper
from playwright.sync_api import Browser, Page

from tests.e2e.support import HELPERS, MODEL_FOLDER, run
from tests.hub.graphs import Dtype, Shape, encoder
from tests.hub.tiny_models import MODEL_FILES
from tools.serve import Server

CUT = "webrerank:first:"
TOLERANCES: dict[Dtype, float] = {"fp32": 1e-5, "fp16": 1e-2, "q8": 0.1}
SHAPES = {
    "bert": Shape(100),
    "one layer": Shape(100, layers=1),
    "two labels": Shape(100, labels=2),
    "no token types": Shape(100, ("input_ids", "attention_mask"), positions=0),
}


@pytest.fixture(scope="module")
def page(browser: Browser, site: Server) -> Iterator[Page]:
    context = browser.new_context()
    context.add_init_script(path=HELPERS)
    page = context.new_page()
    page.goto(site.url + "blank.html")
    yield page
    context.close()


def rewritten(page: Page, model: onnx.ModelProto) -> onnx.ModelProto:
    """What loading makes of a model, with its weights put back."""
    original = model.SerializeToString()
    page.route("**/model.onnx", lambda route: route.fulfill(body=original))
    encoded = run(
        page,
        """
        const { splitWeights } = await import(await t.inRelease('lib/store/onnx.js'));
        const bytes = new Uint8Array(await (await fetch('/model.onnx')).arrayBuffer());
        const url = await new Promise((resolve) => {
          const reader = new FileReader();
          reader.onload = () => resolve(reader.result);
          reader.readAsDataURL(new Blob(splitWeights(bytes).graph));
        });
        return url.split(',')[1];""",
    )
    page.unroute_all()
    result = onnx.load_from_string(base64.b64decode(encoded))
    for tensor in result.graph.initializer:
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        place = {entry.key: entry.value for entry in tensor.external_data}
        start = int(place["offset"])
        tensor.raw_data = original[start : start + int(place["length"])]
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]
    onnx.checker.check_model(result, full_check=True)
    return result


def cuts(model: onnx.ModelProto) -> list[str]:
    """The values that are cut to their first token."""
    return [node.input[0] for node in model.graph.node if node.output[0].startswith(CUT)]


def answers(model: onnx.ModelProto) -> list[np.ndarray]:
    """All outputs for three rows of different length."""
    session = onnxruntime.InferenceSession(model.SerializeToString())
    rng = np.random.default_rng(0)
    mask = np.asarray([[1] * 9, [1] * 5 + [0] * 4, [1] + [0] * 8], np.int64)
    inputs = {
        "input_ids": rng.integers(1, 100, mask.shape),
        "attention_mask": mask,
        "token_type_ids": rng.integers(0, 2, mask.shape),
    }
    wanted = [each.name for each in session.get_inputs()]
    found = session.run(None, {name: inputs[name] for name in wanted})
    return [np.asarray(output) for output in found]


def check_same(before: onnx.ModelProto, after: onnx.ModelProto, tolerance: float) -> None:
    for one, other in zip(answers(before), answers(after), strict=True):
        assert np.ptp(one) > 0.1, "the model tells nothing apart"
        np.testing.assert_allclose(other, one, atol=tolerance, rtol=0)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("kind", SHAPES)
def test_less_work_and_the_same_answer(page: Page, kind: str, dtype: Dtype) -> None:
    before = encoder(SHAPES[kind], dtype)
    after = rewritten(page, before)
    assert len(cuts(after)) == 2, "what attention gives, and what is added to it"
    check_same(before, after, TOLERANCES[dtype])


def test_the_bundled_model(page: Page) -> None:
    before = onnx.load(MODEL_FOLDER / MODEL_FILES["q8"])
    after = rewritten(page, before)
    layer = "/bert/encoder/layer.{}"
    assert cuts(after) == [
        layer.format(11) + "/attention/self/Reshape_3_output_0",
        layer.format(10) + "/output/LayerNorm/Add_1_output_0",
    ]
    check_same(before, after, 0.2)


def last(model: onnx.ModelProto, op: str) -> onnx.NodeProto:
    nodes: list[onnx.NodeProto] = [n for n in model.graph.node if n.op_type == op]
    return nodes[-1]


def insert(
    model: onnx.ModelProto, op: str, before: str, *inputs: str, **attributes: Any
) -> onnx.NodeProto:
    """Put an operator into the first input of the last `before`."""
    target = last(model, before)
    result = f"inserted{len(model.graph.node)}"
    node = helper.make_node(op, [target.input[0], *inputs], [result], **attributes)
    target.input[0] = result
    place = list(model.graph.node).index(target)
    model.graph.node.insert(place, node)
    inserted: onnx.NodeProto = model.graph.node[place]  # a copy
    return inserted


def hidden_states_are_an_output_too(model: onnx.ModelProto) -> None:
    hidden = last(model, "Gather").input[0]
    kind = onnx.TensorProto.FLOAT
    size: list[str | int | None] = ["batch", "sequence", 32]
    model.graph.output.append(helper.make_tensor_value_info(hidden, kind, size))


def another_token_is_picked(model: onnx.ModelProto) -> None:
    index = last(model, "Gather").input[1]
    for tensor in model.graph.initializer:
        if tensor.name == index:
            tensor.CopyFrom(numpy_helper.from_array(np.asarray(1), index))


def tokens_are_mixed_at_the_end(model: onnx.ModelProto) -> None:
    insert(model, "Softmax", "Gather", axis=1)


def a_norm_over_tokens(model: onnx.ModelProto) -> None:
    insert(model, "ReduceMean", "Gather", axes=[1], keepdims=1)


def the_negative_axis_of_tokens(model: onnx.ModelProto) -> None:
    insert(model, "ReduceMean", "Gather", axes=[-2], keepdims=1)


def a_mean_whose_axis_goes(model: onnx.ModelProto) -> None:
    """Axis 1 of what it is given are the rows. protobuf may leave a zero out."""
    model.graph.initializer.append(numpy_helper.from_array(np.asarray([0]), "front"))
    insert(model, "Unsqueeze", "Gather", "front")
    mean = insert(model, "ReduceMean", "Gather", axes=[0], keepdims=0)
    (keepdims,) = (each for each in mean.attribute if each.name == "keepdims")
    keepdims.ClearField("i")


def a_norm_over_all_axes(model: onnx.ModelProto) -> None:
    norm = last(model, "LayerNormalization")
    del norm.attribute[:]
    norm.attribute.append(helper.make_attribute("axis", 0))
    norm.attribute[0].ClearField("i")
    for name in norm.input[1:]:
        for tensor in model.graph.initializer:
            if tensor.name == name:
                tensor.CopyFrom(numpy_helper.from_array(np.ones((1, 1, 32), np.float32), name))


def an_operator_of_the_model_itself(model: onnx.ModelProto) -> None:
    """It is called Relu, and mixes tokens."""
    body = helper.make_node("Softmax", ["x"], ["y"], axis=1)
    opset = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("own", "Relu", ["x"], ["y"], [body], opset))
    model.opset_import.append(helper.make_opsetid("own", 1))
    insert(model, "Relu", "Gather", domain="own")


def a_label_is_picked(model: onnx.ModelProto) -> None:
    """logits[:, 0] of two labels looks like the first of the tokens."""
    final = last(model, "Identity")
    index = numpy_helper.from_array(np.asarray(0), "label")
    model.graph.initializer.append(index)
    chosen = helper.make_node("Gather", [final.input[0], "label"], [final.output[0]], axis=1)
    model.graph.node.remove(final)
    model.graph.node.append(chosen)
    del model.graph.output[0].type.tensor_type.shape.dim[1]


@pytest.mark.parametrize(
    "change",
    [
        hidden_states_are_an_output_too,
        another_token_is_picked,
        tokens_are_mixed_at_the_end,
        a_norm_over_tokens,
        the_negative_axis_of_tokens,
        a_mean_whose_axis_goes,
        a_norm_over_all_axes,
        an_operator_of_the_model_itself,
    ],
)
def test_in_doubt_nothing_changes(page: Page, change: Callable[[onnx.ModelProto], None]) -> None:
    before = encoder(Shape(100))
    change(before)
    after = rewritten(page, before)
    assert cuts(after) == []
    check_same(before, after, 0)


def test_a_label_is_no_token(page: Page) -> None:
    before = encoder(Shape(100, labels=2))
    a_label_is_picked(before)
    after = rewritten(page, before)
    assert len(cuts(after)) == 2, "the token is found, and the label left alone"
    check_same(before, after, 1e-5)


def test_a_long_chain_takes_no_long_time(page: Page) -> None:
    model = encoder(Shape(100))
    target = last(model, "Gather")
    chain = [helper.make_node("Relu", [f"c{n}"], [f"c{n + 1}"]) for n in range(50_000)]
    chain[0].input[0], target.input[0] = target.input[0], chain[-1].output[0]
    place = list(model.graph.node).index(target)
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes[:place], *chain, *nodes[place:]])
    started = perf_counter()
    assert len(cuts(rewritten(page, model))) == 2
    assert perf_counter() - started < 60, "linear, it takes a second"


def test_the_last_token_is_left_alone(page: Page) -> None:
    before = encoder(Shape(100, pool="last"))
    assert cuts(rewritten(page, before)) == []
