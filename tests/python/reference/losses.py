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


def mean_squared_error(logits: Sequence[float], distribution: Sequence[float]) -> float:
    """Wu et al. 2020, section 3.2: the mean over the labels."""
    squares = [(q - p) ** 2 for q, p in zip(probabilities(logits), distribution, strict=True)]
    return sum(squares) / len(squares)


def kullback_leibler(logits: Sequence[float], distribution: Sequence[float], temperature: float) -> float:
    """Hinton et al. 2015, section 2; the target's logits are the logarithms of its probabilities."""
    powers = [math.pow(p, 1 / temperature) for p in distribution]
    flat = [power / sum(powers) for power in powers]
    model = probabilities([value / temperature for value in logits])
    return temperature**2 * sum(p * math.log(p / q) for p, q in zip(flat, model, strict=True) if p)
