"""ONNX files read where they lie: what they say, and that nothing in one can hang or break it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from webrerank.errors import UnsupportedModelError
from webrerank.interface import read_interface
from webrerank.onnx_graph import read_graph
from webrerank.positions import most_tokens

INT64 = 7


def varint(value: int) -> bytes:
    groups = []
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    return bytes([*groups, value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, *parts: bytes | str) -> bytes:
    body = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return varint(field << 3 | 2) + varint(len(body)) + body


def value(field: int, name: str, kind: int, *dims: int) -> bytes:
    """A ValueInfoProto; a size of 0 is left open."""
    sizes = [message(1, number(1, size) if size else message(2, "any")) for size in dims]
    return message(
        field, message(1, name), message(2, message(1, number(1, kind), message(2, *sizes)))
    )


def node(op: str, inputs: list[str], output: str, *attributes: bytes) -> bytes:
    names = [message(1, name) for name in inputs]
    return message(1, *names, message(2, output), message(4, op), *attributes)


def tensor(name: str, kind: int, dims: list[int], *data: bytes) -> bytes:
    return message(5, *[number(1, size) for size in dims], number(2, kind), message(8, name), *data)


def model(*parts: bytes) -> bytes:
    return number(1, 8) + message(7, *parts)


INPUTS = [value(11, name, INT64, 0, 0) for name in ("input_ids", "attention_mask")]
LOGITS = value(12, "logits", 1, 0, 1)

#: CumSum(mask) + 1 looks up a table of 514 rows, whose weights are elsewhere.
ROBERTA_PARTS = [
    tensor("one", INT64, [], message(9, (1).to_bytes(8, "little"))),
    tensor("table", 1, [514, 384], number(14, 1)),
    node("CumSum", ["attention_mask", "one"], "count"),
    node("Add", ["count", "one"], "places"),
    node("Gather", ["table", "places"], "logits"),
    *INPUTS,
    LOGITS,
]
ROBERTA = model(*ROBERTA_PARTS)


def test_a_graph_without_its_weights_tells_the_positions() -> None:
    graph = read_graph(ROBERTA)
    assert [one.name for one in graph.inputs] == ["input_ids", "attention_mask"]
    assert graph.outputs[0].dims == (None, 1)
    assert graph.constants["table"].dims == (514, 384)
    assert graph.constants["table"].values is None
    assert graph.constants["one"].values == (1,)
    assert most_tokens(graph) == 512
    assert read_interface(graph).is_certain


@pytest.mark.parametrize("wrap", [bytes, memoryview, lambda data: memoryview(bytearray(data))])
def test_any_buffer_will_do(wrap: Callable[[bytes], bytes | memoryview]) -> None:
    assert most_tokens(read_graph(wrap(ROBERTA))) == 512


def test_weights_that_old_files_list_as_inputs_are_none() -> None:
    old = model(tensor("table", 1, [514, 4]), value(11, "table", 1, 514, 4), *INPUTS, LOGITS)
    assert list(read_interface(read_graph(old)).inputs) == ["input_ids", "attention_mask"]


def test_operators_of_others_are_not_known_by_their_names() -> None:
    own = node("Add", ["count", "one"], "places")
    foreign = node("Add", ["count", "one"], "places", message(7, "my.own"))
    graph = model(*(foreign if part == own else part for part in ROBERTA_PARTS))
    assert most_tokens(read_graph(graph)) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"no model at all",
        b"\x08\x07" * 500,
        number(1, 8),
        model() + message(7),
        message(7, b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        message(7, b"\x0a"),
        message(7, b"\xff" * 40),
        message(7, tensor("x", INT64, [1])[:-1]),
        message(7, message(1, message(1, b"\xff\xfe"))),
        message(7, message(5, message(2))),
    ],
    ids=range(12),
)
def test_what_is_no_onnx_file_is_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedModelError, match="no ONNX file"):
        read_graph(data)


def test_a_cut_or_changed_file_is_read_or_refused_and_never_hangs() -> None:
    chance = random.Random(7)
    for size in range(len(ROBERTA)):
        _read(ROBERTA[:size])
    for _ in range(3000):
        data = bytearray(ROBERTA)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.choice([0, 1, 127, 128, 255])
        _read(bytes(data))


def _read(data: bytes) -> None:
    try:
        graph = read_graph(data)
        most_tokens(graph)
        read_interface(graph)
    except UnsupportedModelError:
        pass


def test_a_file_made_to_cost_time_is_given_up() -> None:
    started = time.monotonic()
    with pytest.raises(UnsupportedModelError):
        read_graph(model(b"\x10\x01" * 1_100_000))
    assert time.monotonic() - started < 60


def test_numbers_that_grow_without_end_are_let_go() -> None:
    squares = [node("Mul", [f"v{n}", f"v{n}"], f"v{n + 1}") for n in range(2000)]
    first = tensor("v0", INT64, [], message(9, (10**9).to_bytes(8, "little")))
    last = node("Gather", ["table", "v2000"], "x")
    graph = model(first, *squares, tensor("table", 1, [9, 9]), last, *INPUTS, LOGITS)
    assert most_tokens(read_graph(graph)) is None


def test_operators_without_their_inputs_say_nothing() -> None:
    names = ["Gather", "Slice", "Shape", "CumSum", "Range", "Clip", "Where", "Concat", "NonZero"]
    names += ["Add", "Cast", "Equal", "ConstantOfShape", "EmbedLayerNormalization", "Constant"]
    parts = [
        node(op, inputs, f"{op}{len(inputs)}")
        for op in names
        for inputs in ([], [""], ["attention_mask"], ["a", "b", "c", "d"])
    ]
    assert most_tokens(read_graph(model(*parts, *INPUTS, LOGITS))) is None


def test_inputs_of_two_lengths_are_refused() -> None:
    inputs = [value(11, "input_ids", INT64, 1, 64), value(11, "attention_mask", INT64, 1, 32)]
    with pytest.raises(UnsupportedModelError, match=r"numbers of tokens \(32, 64\)"):
        read_interface(read_graph(model(*inputs, LOGITS)))


def test_inputs_of_another_shape_are_refused() -> None:
    inputs = [value(11, "input_ids", INT64, 1, 64, 8)]
    with pytest.raises(UnsupportedModelError, match=r"input_ids in the shape \(1, 64, 8\)"):
        read_interface(read_graph(model(*inputs, LOGITS)))


@pytest.mark.parametrize(
    "outputs",
    [
        [],
        [value(12, "last_hidden_state", 1, 0, 0, 384)],
        [value(12, "logits", 1, 0, 3)],
        [value(12, "logits", 1, 0, 0, 30_522)],
        [value(12, "label", INT64, 0, 1)],
        [value(12, "a", 1, 0, 1), value(12, "b", 1, 0, 2)],
    ],
    ids=range(6),
)
def test_outputs_that_are_no_logits_are_refused(outputs: list[bytes]) -> None:
    with pytest.raises(UnsupportedModelError, match=r"\(pairs, 1\) or \(pairs, 2\)"):
        read_interface(read_graph(model(*INPUTS, *outputs)))


@pytest.mark.parametrize(
    ("outputs", "wanted"),
    [
        ([value(12, "x", 1, 0, 1)], ("x", True)),
        ([value(12, "x", 10, 0, 2)], ("x", True)),
        ([value(12, "x", 1, 0, 0)], ("x", False)),
        ([value(12, "x", 1, 0)], ("x", True)),
        ([value(12, "x", 1, 0, 1), value(12, "logits", 1, 0, 2)], ("logits", True)),
        ([value(12, "states", 1, 0, 0, 8), value(12, "x", 1, 0, 0)], ("x", False)),
    ],
    ids=range(6),
)
def test_the_output_with_the_logits(outputs: list[bytes], wanted: tuple[str, bool]) -> None:
    interface = read_interface(read_graph(model(*INPUTS, *outputs)))
    assert (interface.output, interface.is_certain) == wanted
