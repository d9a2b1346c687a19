"""The two-way bootstrap: figures of several runs of a system on the same documents, where both are drawn anew.

Runs that differ by their seeds are a sample of what training gives, documents are one of what is tagged; an interval
that is about one of them alone is too narrow. Everything drawn has what was observed in front, so that a figure and
its resamples come of the same lines.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from xner.evaluation._resampling import check_resampling, percentile_interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from xner.evaluation.intervals import Interval

__all__ = ["drawn_documents", "drawn_runs", "interval_of", "p_value_of", "resampled_f1", "run_weights"]

_ROUNDING = 1e-12
_BLOCK_CELLS = 1 << 22  # numbers of one block of resamples that are in memory at once


def drawn_documents(documents: int, samples: int, seed: int) -> Iterator[npt.NDArray[np.float32]]:
    """How often each document is drawn, in blocks that fit into memory.

    Args:
        documents: how many there are.
        samples: number of resamples, each of as many documents, drawn with replacement.
        seed: of the random numbers.

    Yields:
        Blocks of (1 + samples) × documents; the first row of the first one is of ones.

    Raises:
        Error: there are no documents or no samples.
    """
    check_resampling(documents, samples, 0.5)
    rng = np.random.default_rng(seed)
    shares = np.full(documents, 1 / documents)
    block = max(1, _BLOCK_CELLS // documents)
    yield np.ones((1, documents), np.float32)
    for first in range(0, samples, block):
        yield rng.multinomial(documents, shares, size=min(block, samples - first)).astype(np.float32)


def drawn_runs(runs: int, samples: int, seed: int | tuple[int, ...]) -> npt.NDArray[np.float64]:
    """What share of a resample each run has.

    Args:
        runs: how many there are.
        samples: as for `drawn_documents`.
        seed: likewise.

    Returns:
        (1 + samples) × runs; each row sums to 1, and the first one has equal shares.
    """
    found = np.full((1 + samples, runs), 1 / runs)
    found[1:] = np.random.default_rng(seed).multinomial(runs, found[0], size=samples) / runs
    return found


def run_weights(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What each run counts in a mean, so that resampled means vary as much as means of new runs do.

    Resamples of n runs vary by (n - 1) / n of that, which is much for a few runs: their distance from the observed mean
    is widened by the root of n / (n - 1). One run alone says nothing about others.

    Args:
        shares: of `drawn_runs`.

    Returns:
        Likewise; rows sum to 1, and single weights may be below 0.
    """
    runs = shares.shape[1]
    wider = math.sqrt(runs / (runs - 1)) if runs > 1 else 1.0
    found: npt.NDArray[np.float64] = 1 / runs + wider * (shares - 1 / runs)
    return found


def resampled_f1(counts: npt.NDArray[np.integer[Any]], drawn: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Micro F1 on every resample of the documents.

    Args:
        counts: ... × documents × 3: entities found, too much, missed. Any number of axes may come before, such as runs
            and texts.
        drawn: a block of `drawn_documents`.

    Returns:
        Resamples × ...: F1, from 0 to 1; 0 where there is nothing to find and nothing was found.
    """
    documents = drawn.shape[1]
    columns = np.moveaxis(counts, -2, 0).reshape(documents, -1).astype(np.float32)
    # Sums of single precision are exact up to 2**24 entities.
    totals = (drawn @ columns).astype(np.float64).reshape(len(drawn), *counts.shape[:-2], 3)
    twice = 2 * totals[..., 0]
    found: npt.NDArray[np.float64] = twice / np.maximum(twice + totals[..., 1] + totals[..., 2], 1)
    return found


def interval_of(values: npt.NDArray[np.float64], confidence: float) -> Interval:
    """The percentile interval of a figure whose first value is the observed one."""
    return percentile_interval(values[1:], confidence)


def p_value_of(differences: npt.NDArray[np.float64]) -> float:
    """How easily resamples cross 0: two-sided, twice the smaller share of those on either side of it, at most 1.

    Args:
        differences: the observed one, then one a resample. Those of 0 are on both sides.
    """
    sample = differences[1:]
    # What rounding has left of 0 must not be on one side alone.
    least = min(int((sample <= _ROUNDING).sum()), int((sample >= -_ROUNDING).sum()))
    return min(1.0, 2 * (least + 1) / (len(sample) + 1))
