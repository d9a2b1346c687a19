"""Slow, plain two-way bootstrap: what `xner.evaluation.two_way` must return for the same draws."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reference.evaluation import figures

if TYPE_CHECKING:
    from collections.abc import Sequence

Triple = tuple[int, int, int]


def f1_of(documents: Sequence[Triple], times: Sequence[int]) -> float:
    """F1 of documents, each written down as often as it was drawn."""
    listed = [one for one, often in zip(documents, times, strict=True) for _ in range(often)]
    return figures(*(sum(one[place] for one in listed) for place in range(3)))[2]


def mean_of_runs(values: Sequence[float], drawn: Sequence[int]) -> float:
    """The mean of runs, each as often as it was drawn, moved away from the mean of all by the root of n / (n - 1)."""
    runs = len(values)
    mean = sum(values) / runs
    if runs == 1:
        return mean
    again = sum(value * often for value, often in zip(values, drawn, strict=True)) / runs
    return mean + (again - mean) * math.sqrt(runs / (runs - 1))


def p_value(sample: Sequence[float]) -> float:
    """Twice the smaller share of resamples on one side of 0, the observed data counting as one of them."""
    below = len([value for value in sample if value <= 0])
    above = len([value for value in sample if value >= 0])
    return min(1.0, 2 * (min(below, above) + 1) / (len(sample) + 1))
