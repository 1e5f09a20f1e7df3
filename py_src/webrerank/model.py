"""What a model folder says of itself: config.json, tokenizer.json, tokenizer_config.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from webrerank.errors import UnsupportedModelError
from webrerank.pairs import PairTemplate, pair_template

#: Positions that RoBERTa-like models lose: theirs count from the padding id + 1.
_ROBERTA_OFFSET = 2
_ROBERTA_LIKE = ("roberta", "xlm-roberta", "camembert", "xlm-roberta-xl")

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
    """

    template: PairTemplate
    max_length: int
    pad_id: int
    tokenizer_json: str


def read_model(config_json: str, tokenizer_json: str, tokenizer_config_json: str) -> ModelSpec:
    """Read the three files of a model folder; tokenizer_config.json may be "{}".

    Raises:
        UnsupportedModelError: the model is no cross-encoder, or a file makes no sense.
    """
    config = _object("config.json", config_json)
    tokenizer = _object("tokenizer.json", tokenizer_json)
    tokenizer_config = _object("tokenizer_config.json", tokenizer_config_json)
    try:
        _check_head(config)
        return ModelSpec(
            template=pair_template(tokenizer.get("post_processor")),
            max_length=_max_length(config, tokenizer, tokenizer_config),
            pad_id=_pad_id(config, tokenizer),
            # The tokenizer would pad every text to 512 on its own (ASSETS.md).
            tokenizer_json=json.dumps({**tokenizer, "truncation": None, "padding": None}),
        )
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise UnsupportedModelError(
            f"The model's tokenizer.json or config.json is not of a known form ({error!r})."
        ) from error


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnsupportedModelError(f"The model's {name} is not JSON.") from error
    if not isinstance(value, dict):
        raise UnsupportedModelError(f"The model's {name} is not a JSON object.")
    return value


def _check_head(config: dict[str, Any]) -> None:
    labels = config.get("num_labels") or len(config.get("id2label") or {}) or 1
    if labels not in (1, 2):
        raise UnsupportedModelError(
            f"The model has {labels} labels; a reranker has 1 or 2. It is a classifier for "
            "something else: choose a cross-encoder trained for relevance."
        )


def _max_length(
    config: dict[str, Any], tokenizer: dict[str, Any], tokenizer_config: dict[str, Any]
) -> int:
    positions = config.get("max_position_embeddings")
    if positions and config.get("model_type") in _ROBERTA_LIKE:
        positions -= _ROBERTA_OFFSET
    lengths = [positions, tokenizer_config.get("model_max_length")]
    known = [int(length) for length in lengths if length and 0 < length < _UNSET_LENGTH]
    if not known and (truncation := tokenizer.get("truncation")):
        known.append(int(truncation["max_length"]))
    return min(known, default=_DEFAULT_LENGTH)


def _pad_id(config: dict[str, Any], tokenizer: dict[str, Any]) -> int:
    if (padding := tokenizer.get("padding")) and "pad_id" in padding:
        return int(padding["pad_id"])
    return int(config.get("pad_token_id") or 0)
