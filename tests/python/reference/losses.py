"""The losses of a word, each by its formula, one word and one label at a time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def probabilities(logits: Sequence[float]) -> list[float]:
    """Softmax."""
    largest = max(logits)
    powers = [math.exp(value - largest) for value in logits]
    return [power / sum(powers) for power in powers]


def cross_entropy(p: float) -> float:
    return -math.log(p)


def focal(p: float, gamma: float) -> float:
    """Lin et al. 2017, equation 4."""
    return math.pow(1 - p, gamma) * -math.log(p)


def generalized_cross_entropy(p: float, q: float) -> float:
    """Zhang, Sabuncu 2018, equation 6."""
    return (1 - math.pow(p, q)) / q


def expected(
    loss: Callable[[float], float], logits: Sequence[float], distribution: Sequence[float], weights: Sequence[float]
) -> float:
    """A word's loss under a distribution over its labels."""
    return sum(
        share * weight * loss(p)
        for share, weight, p in zip(distribution, weights, probabilities(logits), strict=True)
        if share
    )
