"""What a model says of itself: its graph, config.json, tokenizer.json, tokenizer_config.json."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from webrerank.errors import UnsupportedModelError
from webrerank.interface import ModelInterface, read_interface
from webrerank.onnx_graph import Graph
from webrerank.pairs import PairTemplate, pair_template
from webrerank.positions import most_tokens

#: Tables of positions have a round number of rows, a multiple of this; those that begin behind the
#: padding id have the rows before it on top.
_ROUND = 64

#: Above this a tokenizer_config's model_max_length means "not set" (transformers writes 1e30).
_UNSET_LENGTH = 1_000_000

#: Used where a model names no length at all, tokens.
_DEFAULT_LENGTH = 512


@dataclass(frozen=True)
class ModelSpec:
    """What encoding needs to know of a model.

    Attributes:
        template: where the special tokens stand.
        max_length: the most tokens a pair may have.
        pad_id: the padding token's id.
        tokenizer_json: tokenizer.json without its own truncation and padding.
        interface: how the graph is fed.
        heads: attention heads of a layer.
        hidden: numbers a token is made of.
    """

    template: PairTemplate
    max_length: int
    pad_id: int
    tokenizer_json: str
    interface: ModelInterface = field(default_factory=ModelInterface)
    heads: int = 12
    hidden: int = 768

    def run_bytes(self, length: int) -> int:
        """Memory that one pair of this many tokens needs at least, weights not counted.

        Before and after its softmax, attention has a number for each head and each two tokens.
        Measured with onnxruntime on encoders of 384 to 768 dimensions and 512 to 2,048 tokens: some
        2 to 2.5 times that, and 12 times the hidden states.
        """
        return 4 * length * (2 * self.heads * length + 12 * self.hidden)


def read_model(
    config_json: str, tokenizer_json: str, tokenizer_config_json: str, *, graph: Graph | None = None
) -> ModelSpec:
    """Read the files of a model; tokenizer_config.json may be "{}".

    Args:
        graph: of the ONNX file; None for a model that is fed as BERT is.

    Raises:
        UnsupportedModelError: the model is no cross-encoder, or a file makes no sense.
    """
    config = _object("config.json", config_json)
    tokenizer = _object("tokenizer.json", tokenizer_json)
    tokenizer_config = _object("tokenizer_config.json", tokenizer_config_json)
    try:
        _check_head(config)
        first = _first_position(config)
        interface = read_interface(graph, first) if graph else ModelInterface()
        positions = most_tokens(graph, first) if graph else None
        longest = _max_length(config, tokenizer, tokenizer_config, positions)
        spec = ModelSpec(
            template=pair_template(tokenizer.get("post_processor")),
            max_length=min(longest, interface.length or longest),
            pad_id=_pad_id(config, tokenizer),
            # The tokenizer would pad every text to 512 on its own (docs/platform.md).
            tokenizer_json=json.dumps({**tokenizer, "truncation": None, "padding": None}),
            interface=interface,
            heads=int(config.get("num_attention_heads") or config.get("n_heads") or 12),
            hidden=int(config.get("hidden_size") or config.get("dim") or 768),
        )
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise UnsupportedModelError(
            f"The model's tokenizer.json or config.json is not of a known form ({error!r}). "
            "Choose another model."
        ) from error
    _check_length(spec)
    return spec


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnsupportedModelError(
            f"The model's {name} is not JSON. Choose another model."
        ) from error
    if not isinstance(value, dict):
        raise UnsupportedModelError(
            f"The model's {name} is not a JSON object. Choose another model."
        )
    return value


def _check_head(config: dict[str, Any]) -> None:
    labels = config.get("num_labels") or len(config.get("id2label") or {}) or 1
    if labels not in (1, 2):
        raise UnsupportedModelError(
            f"The model has {labels} labels; a reranker has 1 or 2, so it is a classifier for "
            "something else. Choose a cross-encoder trained for relevance."
        )


def _check_length(spec: ModelSpec) -> None:
    least = spec.template.special_count + 2
    if spec.max_length < least:
        raise UnsupportedModelError(
            f"The model reads {spec.max_length} tokens at most; a pair has at least {least}. "
            "Choose another model."
        )


def _max_length(
    config: dict[str, Any],
    tokenizer: dict[str, Any],
    tokenizer_config: dict[str, Any],
    positions: int | None,
) -> int:
    if positions is None and (rows := config.get("max_position_embeddings")):
        positions = rows - _first_position(config)
    lengths = [positions, tokenizer_config.get("model_max_length")]
    known = [int(length) for length in lengths if length and 0 < length < _UNSET_LENGTH]
    if not known and (truncation := tokenizer.get("truncation")):
        known.append(int(truncation["max_length"]))
    return min(known, default=_DEFAULT_LENGTH)


def _first_position(config: dict[str, Any]) -> int:
    """Where a table of positions begins to be used, told by its size alone."""
    rows = config.get("max_position_embeddings") or 0
    behind_padding = int(config.get("pad_token_id") or 0) + 1
    begins_behind = rows % _ROUND and (rows - behind_padding) % _ROUND == 0
    return behind_padding if begins_behind else 0


def _pad_id(config: dict[str, Any], tokenizer: dict[str, Any]) -> int:
    if (padding := tokenizer.get("padding")) and "pad_id" in padding:
        return int(padding["pad_id"])
    return int(config.get("pad_token_id") or 0)
