"""Intervals of figures, and differences of two systems: what resampling gives, and the score interval of a share."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, TypeVar

from xner._support.arguments import number
from xner._support.tables import html_table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Difference", "Interval", "Intervals", "MetricIntervals", "PairedComparison", "wilson"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:.3f}–{self.high:.3f}"


@dataclass(frozen=True, slots=True)
class Difference:
    """How far two systems are apart in one figure.

    Attributes:
        value: the first system's figure minus the second's.
        interval: percentile interval of the difference.
        p_value: share of the resamples in which the system that is better over all sentences is not better; 1
            where the two are equal.
    """

    value: float
    interval: Interval
    p_value: float

    def __str__(self) -> str:
        return f"{self.value:+.3f} ({self.interval}, p = {self.p_value:.3f})"

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain values that JSON can hold."""
        return {
            "difference": self.value,
            "interval": [self.interval.low, self.interval.high],
            "p_value": self.p_value,
        }


@dataclass(frozen=True, slots=True)
class MetricIntervals:
    """The intervals of the three figures."""

    precision: Interval
    recall: Interval
    f1: Interval

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_in_line(_of_kind(self, Interval))})"

    def to_dict(self) -> dict[str, Any]:
        """All intervals as plain values that JSON can hold."""
        return {name: [one.low, one.high] for name, one in _of_kind(self, Interval).items()}


@dataclass(frozen=True, slots=True)
class Intervals:
    """What `bootstrap` says of the scores of entities.

    Attributes:
        micro: intervals of the figures for all entities.
        per_class: intervals for each class.
        confidence: share of the resamples within an interval.
        signature: that of the scores, with samples, seed and confidence.
    """

    micro: MetricIntervals
    per_class: dict[str, MetricIntervals]
    confidence: float
    signature: str

    def __repr__(self) -> str:
        figures = _in_line(_of_kind(self.micro, Interval))
        return f"Intervals({figures}, classes={len(self.per_class)}, confidence={self.confidence:g})"

    def _repr_html_(self) -> str:
        rows = [["", "precision", "recall", "F1"]]
        for name, one in [*self.per_class.items(), ("micro", self.micro)]:
            rows.append([name, str(one.precision), str(one.recall), str(one.f1)])
        return html_table(rows, self.signature)

    def to_dict(self) -> dict[str, Any]:
        """All intervals as plain values that JSON can hold."""
        return {
            "micro": self.micro.to_dict(),
            "per_class": {name: one.to_dict() for name, one in self.per_class.items()},
            "confidence": self.confidence,
            "signature": self.signature,
        }


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """What `paired_bootstrap` says of the scores of entities: micro-averaged figures, first system minus second."""

    precision: Difference
    recall: Difference
    f1: Difference
    signature: str

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_in_line(_of_kind(self, Difference))})"

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain values that JSON can hold."""
        differences = {name: one.to_dict() for name, one in _of_kind(self, Difference).items()}
        return {**differences, "signature": self.signature}


def _of_kind(figures: MetricIntervals | PairedComparison, kind: type[T]) -> dict[str, T]:
    """A result's fields that hold figures, by name."""
    values = {field.name: getattr(figures, field.name) for field in fields(figures)}
    return {name: value for name, value in values.items() if isinstance(value, kind)}


def _in_line(figures: Mapping[str, object]) -> str:
    """Figures by name, for a `repr`."""
    return ", ".join(f"{name}={one}" for name, one in figures.items())


def wilson(successes: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """The score interval of a share, which is sound for few trials and for shares near 0 and 1.

    Args:
        successes: how many of the trials.
        trials: how many; of none, any share may be true.
        confidence: how often such an interval has the true share in it.

    Source: Wilson 1927, *Probable Inference, the Law of Succession, and Statistical Inference*.
    """
    number("confidence", confidence, "between 0 and 1", lambda value: 0 < value < 1)
    if not trials:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, spread = successes / trials, z * z / trials
    centre = share + spread / 2
    half = math.sqrt(share * (1 - share) * spread + spread * spread / 4)
    # At the ends the formula gives 0 and 1 but for rounding.
    low = (centre - half) / (1 + spread) if successes else 0.0
    return Interval(low, (centre + half) / (1 + spread) if successes < trials else 1.0)
