"""Resampling of sentences, for figures that are made of counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xner.errors import Error
from xner.evaluation.intervals import Difference, Interval

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "check_resampling",
    "difference",
    "percentile_interval",
    "resampled_totals",
    "signed_totals",
]

_BLOCK_CELLS = 1 << 22  # numbers of one block of resamples that are in memory at once


def check_resampling(sentences: int, samples: int, confidence: float) -> None:
    """Check the arguments of a bootstrap.

    Raises:
        Error: there are no sentences, or an argument is out of range.
    """
    if not sentences:
        raise Error("there are no sentences to draw from")
    if samples < 1:
        raise Error(f"samples must be at least 1, not {samples}")
    if not 0 < confidence < 1:
        raise Error(f"confidence must be between 0 and 1, not {confidence}")


def resampled_totals(counts: npt.NDArray[Any], samples: int, seed: int) -> npt.NDArray[np.float64]:
    """Column sums over `samples` resamples of the rows, each as large as the whole.

    Sentences with the same counts are alike, so that a resample is a draw from a multinomial distribution
    over the different rows: few, however many sentences there are.
    """
    patterns, multiplicity = _distinct_rows(counts)
    rng = np.random.default_rng(seed)
    totals = np.empty((samples, counts.shape[1]))
    block = max(1, _BLOCK_CELLS // len(patterns))
    for first in range(0, samples, block):
        drawn = rng.multinomial(len(counts), multiplicity / len(counts), size=min(block, samples - first))
        # Floating point, exact up to 2**53, as only that is multiplied quickly.
        totals[first : first + block] = drawn.astype(np.float64) @ patterns
    return totals


def signed_totals(counts: npt.NDArray[Any], samples: int, seed: int) -> npt.NDArray[np.float64]:
    """Column sums over the rows, each with a random sign, `samples` times.

    Of rows that are the same, only how many have which sign matters: a draw from a binomial distribution.
    """
    patterns, multiplicity = np.unique(counts, axis=0, return_counts=True)
    rng = np.random.default_rng(seed)
    totals = np.empty((samples, counts.shape[1]))
    block = max(1, _BLOCK_CELLS // len(patterns))
    for first in range(0, samples, block):
        size = min(block, samples - first)
        positive = rng.binomial(multiplicity, 0.5, size=(size, len(patterns)))
        totals[first : first + size] = (2.0 * positive - multiplicity) @ patterns.astype(np.float64)
    return totals


def _distinct_rows(counts: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """The different rows of a table of small numbers, and how often each occurs."""
    key = np.zeros(len(counts), dtype=np.int64)
    keys = 1
    for column in counts.T:
        size = int(column.max()) + 1
        if keys * size >= 1 << 62:
            key = np.unique(key, return_inverse=True)[1]
            keys = int(key.max()) + 1
        key = key * size + column
        keys *= size
    _, first, multiplicity = np.unique(key, return_index=True, return_counts=True)
    return counts[first].astype(np.float64), multiplicity


def percentile_interval(values: npt.NDArray[np.float64], confidence: float) -> Interval:
    """The middle of the values that holds a share `confidence` of them."""
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


def difference(value: float, sample: npt.NDArray[np.float64], confidence: float) -> Difference:
    """What resamples of a difference say about it.

    Args:
        value: the difference over all sentences.
        sample: the difference on each resample.
        confidence: share of the resamples within the interval.

    Source: Koehn 2004; the p-value counts the observed data as one resample: (k + 1) / (samples + 1).
    """
    not_better = int((sample * np.sign(value) <= 0).sum())
    return Difference(value, percentile_interval(sample, confidence), (not_better + 1) / (len(sample) + 1))
