"""Numbers about numbers: medians, spread, agreement of two rankings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of repeated measurements, and the measurements themselves."""

    median: float
    q1: float
    q3: float
    values: list[float]


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles of at least one value."""
    q1, median, q3 = (float(value) for value in np.percentile(values, [25, 50, 75]))
    return Spread(median, q1, q3, list(values))


def kendall_tau(first: Sequence[float], second: Sequence[float]) -> float:
    """Kendall's tau-b of two lists of scores; 0 if one of them ranks nothing."""
    a = np.sign(np.subtract.outer(first, first))
    b = np.sign(np.subtract.outer(second, second))
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale else 0.0


def linear_fit(x: Sequence[float], y: Sequence[float]) -> tuple[float, float, float]:
    """Least squares: slope, intercept, and r squared."""
    slope, intercept = (float(value) for value in np.polyfit(x, y, 1))
    r = float(np.corrcoef(x, y)[0, 1])
    return slope, intercept, r * r
