"""Whether a figure is more than luck: intervals, comparisons of two systems, and what several comparisons ask for.

The same functions serve the scores of entities (`evaluate`) and of links (`xner.evaluation.links.score`): anything that
is a `SentenceScores`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import numpy as np

from xner.errors import Error
from xner.evaluation._resampling import check_resampling, difference, resampled_totals, signed_totals

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from xner.evaluation.intervals import Difference

__all__ = [
    "RandomizationTest",
    "SentenceScores",
    "approximate_randomization",
    "bootstrap",
    "holm",
    "paired_bootstrap",
    "pool",
]

Intervals_co = TypeVar("Intervals_co", covariant=True)
Comparison_co = TypeVar("Comparison_co", covariant=True)
ScoresT = TypeVar("ScoresT", bound="SentenceScores[Any, Any]")


class SentenceScores(Protocol[Intervals_co, Comparison_co]):
    """Figures made of counts that every sentence has, so that sentences can be drawn anew or exchanged."""

    @property
    def sentences(self) -> int:
        """Number of sentences."""

    @property
    def signature(self) -> str:
        """What must be equal for two figures to be comparable."""

    def counts(self) -> npt.NDArray[np.integer[Any]]:
        """Sentences × counts, of all classes together."""

    def counts_by_class(self) -> npt.NDArray[np.integer[Any]]:
        """Sentences × counts, as `intervals` reads them."""

    def figures(self, totals: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.float64]]:
        """By name, the figures of many totals of `counts` at once; the scores have them by the same names."""

    def intervals(self, totals: npt.NDArray[np.float64], confidence: float, signature: str) -> Intervals_co:
        """Intervals out of many totals of `counts_by_class`."""

    def comparison(self, differences: dict[str, Difference], signature: str) -> Comparison_co:
        """Differences of figures, by their names, as one result."""

    def check_comparable(self, other: Self) -> None:
        """Raises `Error` unless both are of the same sentences, scored alike."""

    def pooled(self, others: Sequence[Self]) -> Self:
        """The counts of each sentence added up over scores that can be compared."""


def bootstrap(
    scores: SentenceScores[Intervals_co, Any], *, samples: int = 1000, seed: int = 1, confidence: float = 0.95
) -> Intervals_co:
    """Percentile intervals from resamples of the sentences, drawn with replacement.

    Args:
        scores: what `evaluate` or `xner.evaluation.links.score` returned.
        samples: number of resamples.
        seed: of the random numbers; the same seed gives the same intervals.
        confidence: share of the resamples that an interval holds, between 0 and 1.

    Returns:
        `Intervals` of entities, for all and for each class; `LinkIntervals` of links.

    Raises:
        Error: no sentences, or an unusable argument.

    Source: Efron, Tibshirani 1993, percentile interval.
    """
    check_resampling(scores.sentences, samples, confidence)
    totals = resampled_totals(scores.counts_by_class(), samples, seed)
    signature = f"{scores.signature}|bootstrap:{samples}|seed:{seed}|confidence:{confidence:g}"
    return scores.intervals(totals, confidence, signature)


def paired_bootstrap(
    first: SentenceScores[Any, Comparison_co],
    second: SentenceScores[Any, Comparison_co],
    *,
    samples: int = 1000,
    seed: int = 1,
    confidence: float = 0.95,
) -> Comparison_co:
    """Whether one system is better than another on the same sentences: paired bootstrap resampling.

    Both systems are scored on the same resamples of the sentences. The p-value is one-sided, `(k + 1) /
    (samples + 1)` with `k` resamples in which the system that is better over all sentences is not better.

    Args:
        first: what `evaluate` or `xner.evaluation.links.score` returned for one system.
        second: likewise for the other, against the same gold labels or hand-made links, scored alike.
        samples: number of resamples.
        seed: of the random numbers; the same seed gives the same result.
        confidence: share of the resamples that an interval holds, between 0 and 1.

    Returns:
        `PairedComparison` of entities, `LinkComparison` of links.

    Raises:
        Error: scores that cannot be compared, no sentences, or an unusable argument.

    Source: Koehn 2004.
    """
    check_resampling(first.sentences, samples, confidence)
    sides = _comparable_counts(first, second)
    totals = resampled_totals(np.concatenate(sides, axis=1), samples, seed)
    one, other = (first.figures(side) for side in np.split(totals, 2, axis=1))
    differences = {
        name: difference(getattr(first, name) - getattr(second, name), one[name] - other[name], confidence)
        for name in one
    }
    signature = f"{first.signature}|paired-bootstrap:{samples}|seed:{seed}|confidence:{confidence:g}"
    return first.comparison(differences, signature)


@dataclass(frozen=True, slots=True)
class RandomizationTest:
    """The result of `approximate_randomization`.

    Attributes:
        difference: by figure, the first system's minus the second's.
        p_value: by figure, how likely a difference as large is between systems that are alike.
        signature: how they were found.
    """

    difference: dict[str, float]
    p_value: dict[str, float]
    signature: str

    def __repr__(self) -> str:
        figures = (f"{name}={value:+.3f} (p = {self.p_value[name]:.3f})" for name, value in self.difference.items())
        return f"RandomizationTest({', '.join(figures)})"


def approximate_randomization(
    first: ScoresT, second: ScoresT, *, samples: int = 10_000, seed: int = 1
) -> RandomizationTest:
    """Whether two systems differ on the same sentences: approximate randomization, two-sided.

    Were the systems alike, it would not matter which of them said what about a sentence. So the two are exchanged on
    random sentences; the p-value is `(k + 1) / (samples + 1)` with `k` exchanges after which they differ at least as
    much as they do.

    Args:
        first: as in `paired_bootstrap`.
        second: likewise.
        samples: number of exchanges.
        seed: of the random numbers; the same seed gives the same result.

    Raises:
        Error: scores that cannot be compared, no sentences, or an unusable argument.

    Source: Noreen 1989; Yeh 2000 for F1.
    """
    check_resampling(first.sentences, samples, 0.5)
    sides = _comparable_counts(first, second)
    both = (sides[0] + sides[1]).sum(axis=0)
    # Twice the first system's counts after an exchange are all counts and, by sign, the differences of the sentences.
    signed = signed_totals(sides[0] - sides[1], samples, seed)
    one, other = (first.figures((both + sign * signed) / 2) for sign in (1, -1))
    observed, p_value = {}, {}
    for name in one:
        value = getattr(first, name) - getattr(second, name)
        # Rounding must not make an exchange that changes nothing count as less.
        as_large = int((np.abs(one[name] - other[name]) >= abs(value) - 1e-12).sum())
        observed[name], p_value[name] = value, (as_large + 1) / (samples + 1)
    return RandomizationTest(observed, p_value, f"{first.signature}|approximate-randomization:{samples}|seed:{seed}")


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number, so that the chance of one false alarm among all stays what it says.

    Args:
        p_values: from 0 to 1, one a comparison.

    Returns:
        The adjusted ones, in the same order.

    Source: Holm 1979, the step-down procedure.
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = highest
    return adjusted


def pool(runs: Sequence[ScoresT]) -> ScoresT:
    """Several runs of a system on the same sentences as one: the counts of each sentence are added up.

    So runs with different seeds are compared with another system's, sentences being what is drawn or exchanged.

    Args:
        runs: at least one, against the same gold labels or hand-made links, scored alike.

    Raises:
        Error: scores that cannot be compared, or none.
    """
    if not runs:
        raise Error("there are no scores to pool")
    first, *others = runs
    for other in others:
        _check_comparable(first, other)
    return first.pooled(others)


def _check_comparable(first: SentenceScores[Any, Any], second: SentenceScores[Any, Any]) -> None:
    if type(first) is not type(second):
        raise Error(f"{type(first).__name__} and {type(second).__name__} cannot be compared")
    first.check_comparable(second)


def _comparable_counts(
    first: SentenceScores[Any, Any], second: SentenceScores[Any, Any]
) -> tuple[npt.NDArray[np.integer[Any]], npt.NDArray[np.integer[Any]]]:
    """The counts of two systems' sentences.

    Raises:
        Error: the two cannot be compared.
    """
    _check_comparable(first, second)
    return first.counts(), second.counts()
