"""What a model's graph wants to be fed and what it gives, and whether a reranker can do with it.

The one place for these rules: adapters feed what `feeds` makes, and ask for the output named here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from webrerank.errors import UnsupportedModelError
from webrerank.onnx_graph import Dims, Graph, Value
from webrerank.pairs import IntArray, PairBatch
from webrerank.scoring import FloatArray

#: What a graph may be fed. Positions count up from the model's first one.
KNOWN_INPUTS = ("input_ids", "attention_mask", "token_type_ids", "position_ids")

_TYPES: Mapping[str, type[np.integer[Any]]] = MappingProxyType(
    {"int64": np.int64, "int32": np.int32}
)
_FLOATS = ("float32", "float16", "float64")

_CHOOSE = "Choose a cross-encoder exported for text ranking."


@dataclass(frozen=True)
class ModelInterface:
    """What a graph is fed and asked for.

    Attributes:
        inputs: the type of each input, by name, in the graph's order.
        output: the name of the output with the logits; '' for the first.
        rows: how many rows a run must have; 0 if any number.
        length: how many tokens a run must have; 0 if any number.
        is_certain: whether the graph says that it gives one or two numbers a pair. If not, a first
            run must show it (`check_answer`).
        first_position: what `position_ids` begin with, where the graph wants them.
    """

    inputs: Mapping[str, type[np.integer[Any]]] = field(
        default_factory=lambda: dict.fromkeys(KNOWN_INPUTS[:3], np.int64)
    )
    output: str = ""
    rows: int = 0
    length: int = 0
    is_certain: bool = False
    first_position: int = 0

    @property
    def may_pad(self) -> bool:
        """Without a mask a model reads the padding as if it were text."""
        return "attention_mask" in self.inputs

    def feeds(self, batch: PairBatch) -> dict[str, NDArray[Any]]:
        """Make the inputs of a run, each of shape (rows, length), by name.

        Rows that the graph wants beyond the batch's are copies of its last pair: in int8 the
        numbers of all rows are rounded on one scale, so another text would change the logits.
        """
        arrays: dict[str, IntArray] = {
            "input_ids": batch.input_ids,
            "attention_mask": batch.attention_mask,
            "token_type_ids": batch.token_type_ids,
        }
        if "position_ids" in self.inputs:
            places = np.arange(batch.input_ids.shape[1]) + self.first_position
            arrays["position_ids"] = np.broadcast_to(places, batch.input_ids.shape)
        missing = self.rows - len(batch.input_ids)
        if missing > 0:
            for name, array in arrays.items():
                copies = np.repeat(array[-1:], missing, axis=0)
                arrays[name] = np.concatenate([array, copies])
        return {name: arrays[name].astype(kind, copy=False) for name, kind in self.inputs.items()}


def check_answer(outputs: FloatArray) -> None:
    """Refuse a model by what its first run gives.

    Args:
        outputs: of a run, shape (rows, n_logits).
    """
    if outputs.ndim != 2 or outputs.shape[1] not in (1, 2):
        raise _no_reranker(outputs.shape)


def read_interface(graph: Graph, first_position: int = 0) -> ModelInterface:
    """Read from a graph how to feed it.

    Raises:
        UnsupportedModelError: it cannot be fed, or gives no logits; the message says which input or
            output is to blame.
    """
    names = [value.name for value in graph.inputs]
    unknown = [name for name in names if name not in KNOWN_INPUTS]
    if unknown or "input_ids" not in names:
        blame = f"wants the inputs {_listed(unknown)}" if unknown else "has no input input_ids"
        raise UnsupportedModelError(
            f"The model {blame}; a reranker has {', '.join(KNOWN_INPUTS)}. {_CHOOSE}"
        )
    rows, length = (_fixed_size(graph.inputs, axis) for axis in (0, 1))
    if length and "attention_mask" not in names:
        raise UnsupportedModelError(
            f"The model takes {length} tokens, no more and no less, and has no attention_mask to "
            f"tell it which of them are padding. {_CHOOSE}"
        )
    output, is_certain = _choose_output(graph.outputs)
    return ModelInterface(
        inputs={value.name: _type_of(value) for value in graph.inputs},
        output=output,
        rows=rows,
        length=length,
        is_certain=is_certain,
        first_position=first_position,
    )


def _type_of(value: Value) -> type[np.integer[Any]]:
    if value.type not in _TYPES:
        raise UnsupportedModelError(
            f"The model wants its input {value.name} as {value.type or 'something unnamed'}; "
            f"a reranker can give {' or '.join(_TYPES)}. {_CHOOSE}"
        )
    return _TYPES[value.type]


def _fixed_size(inputs: Sequence[Value], axis: int) -> int:
    """The size of an axis that the inputs fix; 0 if none does."""
    sizes: set[int] = set()
    for value in inputs:
        if value.dims is None:
            continue
        if len(value.dims) != 2:
            raise UnsupportedModelError(
                f"The model wants its input {value.name} in the shape {_shown(value.dims)}; "
                f"a reranker gives (pairs, tokens). {_CHOOSE}"
            )
        sizes.add(value.dims[axis] or 0)
    sizes.discard(0)
    if len(sizes) > 1:
        what = "numbers of tokens" if axis else "numbers of pairs"
        raise UnsupportedModelError(
            f"The model's inputs have different {what} ({_listed(sorted(map(str, sizes)))}). "
            f"{_CHOOSE}"
        )
    return sizes.pop() if sizes else 0


def _choose_output(outputs: Sequence[Value]) -> tuple[str, bool]:
    """The output with the logits, and whether its shape says so."""
    named = [value for value in outputs if value.name == "logits"]
    possible = [value for value in named or outputs if _may_be_logits(value)]
    if len(possible) != 1:
        given = ", ".join(f"{value.name} {_shown(value.dims)}" for value in outputs)
        raise UnsupportedModelError(
            f"The model gives {given[:300] or 'nothing'}; a reranker gives one output of the shape "
            "(pairs, 1) or (pairs, 2). Choose a cross-encoder trained for relevance."
        )
    dims = possible[0].dims
    is_certain = dims is not None and (len(dims) == 1 or dims[1] is not None)
    return possible[0].name, is_certain


def _may_be_logits(value: Value) -> bool:
    if value.type not in _FLOATS:
        return False
    if value.dims is None or len(value.dims) == 1:
        return True
    return len(value.dims) == 2 and value.dims[1] in (1, 2, None)


def _no_reranker(shape: Sequence[int]) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"The model answers with the shape {_shown(shape)}; a reranker gives (pairs, 1) or "
        "(pairs, 2). Choose a cross-encoder trained for relevance."
    )


def _shown(dims: Dims | Sequence[int | None] | None) -> str:
    if dims is None:
        return "(unknown)"
    return f"({', '.join('any' if size is None else str(size) for size in dims)})"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)[:200]
