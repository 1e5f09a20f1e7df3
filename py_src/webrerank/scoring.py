"""From a model's raw numbers to logits and scores. Pure arithmetic."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from webrerank.errors import InferenceError

FloatArray: TypeAlias = NDArray[np.float32]


def relevance_logits(outputs: FloatArray) -> list[float]:
    """Reduce a model's outputs to one relevance logit a pair.

    Args:
        outputs: float32, shape (rows, 1), or (rows, 2) as (not relevant, relevant).

    Returns:
        One number a row, unbounded, higher is more relevant. For two outputs it is their
        difference, whose sigmoid is the softmax of the relevant one.

    Raises:
        InferenceError: an output is NaN or infinite, or the shape is another.
    """
    if outputs.ndim != 2 or outputs.shape[1] not in (1, 2):
        raise InferenceError(
            f"The model answered with shape {outputs.shape}; a reranker gives (pairs, 1) or "
            "(pairs, 2). Choose a cross-encoder trained for relevance."
        )
    if not np.isfinite(outputs).all():
        raise InferenceError(
            "The model gave a number that is not finite. Choose another dtype; or device 'wasm' if "
            "it ran on WebGPU."
        )
    wide = outputs.astype(np.float64)
    logits: list[float] = (wide[:, -1] - wide[:, 0] if wide.shape[1] == 2 else wide[:, 0]).tolist()
    return logits


def score_of(logit: float) -> float:
    """Map a logit to a score in [0, 1] with the logistic function; order is kept.

    Whatever the model's config.json names as its activation: that is what sentence-transformers
    applies to the numbers it shows, and it may lead out of [0, 1].

    Source:
        sentence-transformers, CrossEncoder.get_default_activation_fn: what config.json names in
        `sentence_transformers.activation_fn` (before version 4 in
        `sbert_ce_default_activation_function`), else sigmoid for one label, and for two or more
        nothing: no softmax. So its numbers are `score` here for a model of one label with
        torch.nn.modules.activation.Sigmoid or none named, and `logit` here with
        torch.nn.modules.linear.Identity, as the MS MARCO models have it. Of two labels it shows
        both raw; `logit` is their difference.
    """
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    power = math.exp(max(logit, -700.0))  # exp(-700) is the last that is safely above zero
    return power / (1 + power)
