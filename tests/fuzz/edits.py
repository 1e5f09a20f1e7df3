"""Changes of JSON, of bytes, and of protobuf messages: thought of, and done.

What no longer applies, since an earlier change removed its place, does nothing: so a case can lose
any of its edits and still be run.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

from tests.fuzz.case import Edit

#: What files of strangers have where something else belongs.
ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 3, 0.5, 1e30, float("inf"), float("nan")),
    *(2**31, 2**53, 2**63, 2**70, -(2**63), "", "a", "512", "[CLS]", "\ud800", "\0", "é" * 300),
    *([], {}, [[]], [1], ["a"], {"type": "x"}, {"type": "Sequence"}, {"": 1}, [None, {}]),
]


def json_edit(rng: Random, value: Any) -> Edit:
    """Think of one change of a JSON value."""
    path = json_path(rng, value)
    verb = rng.choice(["put", "put", "drop", "move"])
    if verb == "put":
        return ["put", path, copy.deepcopy(rng.choice(ODD))]
    return ["drop", path] if verb == "drop" else ["move", json_path(rng, value), path]


def edit_json(value: Any, edits: list[Edit]) -> Any:
    """Change a copy of a JSON value."""
    holder = [copy.deepcopy(value)]
    for verb, *arguments in edits:
        try:
            path = [0, *arguments[-1 if verb == "move" else 0]]
            target, last = _at(holder, path[:-1]), path[-1]
            if verb == "drop" and len(path) > 1:
                del target[last]
            elif verb == "put":
                target[last] = copy.deepcopy(arguments[1])
            elif verb == "move":
                target[last] = copy.deepcopy(_at(holder, [0, *arguments[0]]))
        except (LookupError, TypeError):
            continue
    return holder[0]


def json_path(rng: Random, value: Any) -> list[Any]:
    path: list[Any] = []
    while isinstance(value, (dict, list)) and value and (not path or rng.random() < 0.75):
        step = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        path.append(step)
        value = value[step]
    return path


def _at(value: Any, path: list[Any]) -> Any:
    for step in path:
        value = value[step]
    return value


def bytes_edit(rng: Random, data: bytes, places: list[int]) -> Edit:
    """Think of one change of bytes, near one of the places if there are any."""
    at = rng.choice(places) if places and rng.random() < 0.7 else rng.randrange(len(data) or 1)
    verb = rng.choice(["set", "set", "cut", "put", "end"])
    if verb == "set":
        return ["set", at, rng.randbytes(rng.choice([1, 1, 1, 2, 4])).hex()]
    if verb == "put":
        return ["insert", at, rng.randbytes(rng.choice([1, 2, 8, 40])).hex()]
    return ["cut", at, at + rng.choice([1, 2, 8, 100])] if verb == "cut" else ["cut", at, len(data)]


def edit_bytes(data: bytes, edits: list[Edit]) -> bytes:
    """Change bytes; places beyond the end do nothing."""
    for verb, at, argument in edits:
        if verb == "cut":
            data = data[:at] + data[argument:]
        else:
            new = bytes.fromhex(argument)
            data = data[:at] + new + data[at + (len(new) if verb == "set" else 0) :]
    return data


#: Which fields of which message hold messages, by their numbers in onnx.proto.
INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 8: "opset"},
    "graph": {1: "node", 5: "tensor", 11: "value", 12: "value", 13: "value"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph"},
    "tensor": {13: "entry"},
}


def length_places(data: bytes, message: str = "model", start: int = 0, end: int = -1) -> list[int]:
    """Where the lengths and tags of an ONNX file's messages stand."""
    places: list[int] = []
    for tag, number, body, stop in _fields(data, start, len(data) if end < 0 else end):
        places += [tag, body - 1]
        if inner := INSIDE.get(message, {}).get(number):
            places += length_places(data, inner, body, stop)
    return places


def _fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    while at < end:
        tag = at
        key, at = _varint(data, at)
        body = at
        if key & 7 == 2:
            length, body = _varint(data, at)
            at = body + length
        elif key & 7 == 0:
            _, at = _varint(data, at)
        else:
            at += 8 if key & 7 == 1 else 4
        yield tag, key >> 3 if key & 7 == 2 else 0, body, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at
