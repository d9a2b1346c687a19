"""How good word links are: precision, recall and alignment error rate against hand-made ones.

Source: Och, Ney 2003, *A Systematic Comparison of Various Statistical Alignment Models*, section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xner._version import __version__
from xner.alignment.links._merging import LinkColumn, merge
from xner.errors import Error
from xner.evaluation._resampling import (
    Difference,
    Interval,
    check_resampling,
    difference,
    percentile_interval,
    resampled_totals,
)

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["LinkComparison", "LinkIntervals", "LinkScores", "bootstrap", "paired_bootstrap", "score"]

_METRICS = ("precision", "recall", "f1", "aer")


@dataclass(frozen=True, slots=True, eq=False)
class LinkScores:
    """What `score` found, with the counts of every sentence pair.

    Attributes:
        found: links of each pair that were found, int64.
        sure: links of each pair that the hand-made alignment is sure of.
        sure_hits: found links among the sure ones.
        possible_hits: found links among the possible ones, of which the sure ones are a part.
    """

    found: npt.NDArray[np.int64]
    sure: npt.NDArray[np.int64]
    sure_hits: npt.NDArray[np.int64]
    possible_hits: npt.NDArray[np.int64]

    @property
    def sentences(self) -> int:
        """The number of sentence pairs."""
        return len(self.found)

    @property
    def precision(self) -> float:
        """Share of the found links that are possible; 0 where none was found."""
        return self._metric("precision")

    @property
    def recall(self) -> float:
        """Share of the sure links that were found; 0 where there is none."""
        return self._metric("recall")

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return self._metric("f1")

    @property
    def aer(self) -> float:
        """Alignment error rate, `1 - (sure hits + possible hits) / (found + sure)`; 0 where there is no link at all."""
        return self._metric("aer")

    @property
    def signature(self) -> str:
        """One line that tells how the figures were made."""
        return f"xner:{__version__}|links:aer-och-ney-2003|sentences:{self.sentences}"

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain values that JSON can hold."""
        return {
            **{metric: self._metric(metric) for metric in _METRICS},
            **{name: int(counts.sum()) for name, counts in self._named_counts()},
            "sentences": self.sentences,
            "signature": self.signature,
        }

    def counts(self) -> npt.NDArray[np.int64]:
        """(sentence pairs × 4): found, sure, sure hits, possible hits."""
        return np.stack([counts for _, counts in self._named_counts()], axis=1)

    def _named_counts(self) -> list[tuple[str, npt.NDArray[np.int64]]]:
        return [(name, getattr(self, name)) for name in ("found", "sure", "sure_hits", "possible_hits")]

    def _metric(self, metric: str) -> float:
        return float(_metrics(self.counts().sum(axis=0, keepdims=True).astype(np.float64))[metric][0])


def _metrics(totals: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.float64]]:
    """The figures of many totals of counts at once."""
    found, sure, sure_hits, possible_hits = totals.T
    precision = possible_hits / np.maximum(found, 1)
    recall = sure_hits / np.maximum(sure, 1)
    both = np.where(precision + recall > 0, precision + recall, 1)
    aer = np.where(found + sure > 0, 1 - (sure_hits + possible_hits) / np.maximum(found + sure, 1), 0)
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / both, "aer": aer}


def score(gold: LinkColumn, predicted: LinkColumn, *, possible: LinkColumn | None = None) -> LinkScores:
    """Compare links with hand-made ones.

    Args:
        gold: the sure links: an Arrow array of lists of structs `source` and `target`, or lists of lists of pairs.
            `xner.io.read_pharaoh(path, possible="drop")` reads them from a file.
        predicted: as many rows.
        possible: links that are no error either, as many rows; the sure ones are possible in any case.

    Returns:
        The figures. Links are sets: one that is given twice counts once.

    Raises:
        Error: numbers of rows differ.
        DataError: something else than links.
    """
    columns = [predicted, gold, *([possible] if possible is not None else [])]
    merged = merge(columns, ["predicted", "gold", "possible"][: len(columns)])
    found, sure = merged.present[0], merged.present[1]
    allowed = merged.present[1:].any(axis=0)
    return LinkScores(
        found=merged.count(found),
        sure=merged.count(sure),
        sure_hits=merged.count(found & sure),
        possible_hits=merged.count(found & allowed),
    )


@dataclass(frozen=True, slots=True)
class LinkIntervals:
    """The result of `bootstrap`: percentile intervals of the figures."""

    precision: Interval
    recall: Interval
    f1: Interval
    aer: Interval
    signature: str

    def to_dict(self) -> dict[str, Any]:
        """All intervals as plain values that JSON can hold."""
        plain = {metric: [getattr(self, metric).low, getattr(self, metric).high] for metric in _METRICS}
        return {**plain, "signature": self.signature}


def bootstrap(scores: LinkScores, *, samples: int = 1000, seed: int = 1, confidence: float = 0.95) -> LinkIntervals:
    """Percentile intervals from resamples of the sentence pairs, drawn with replacement.

    Args:
        scores: what `score` returned.
        samples: number of resamples.
        seed: of the random numbers; the same seed gives the same intervals.
        confidence: share of the resamples that an interval holds, between 0 and 1.

    Raises:
        Error: no sentence pairs, or an unusable argument.

    Source: Efron, Tibshirani 1993, percentile interval.
    """
    check_resampling(scores.sentences, samples, confidence)
    drawn = _metrics(resampled_totals(scores.counts(), samples, seed))
    return LinkIntervals(
        **{metric: percentile_interval(values, confidence) for metric, values in drawn.items()},
        signature=f"{scores.signature}|bootstrap:{samples}|seed:{seed}|confidence:{confidence:g}",
    )


@dataclass(frozen=True, slots=True)
class LinkComparison:
    """The result of `paired_bootstrap`: figures of the first links minus those of the second."""

    precision: Difference
    recall: Difference
    f1: Difference
    aer: Difference
    signature: str

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain values that JSON can hold."""
        return {**{metric: getattr(self, metric).to_dict() for metric in _METRICS}, "signature": self.signature}


def paired_bootstrap(
    first: LinkScores, second: LinkScores, *, samples: int = 1000, seed: int = 1, confidence: float = 0.95
) -> LinkComparison:
    """Whether one set of links is better than another of the same sentence pairs: paired bootstrap resampling.

    Args:
        first: what `score` returned for one.
        second: likewise for the other, against the same hand-made links.
        samples: number of resamples.
        seed: of the random numbers; the same seed gives the same result.
        confidence: share of the resamples that an interval holds, between 0 and 1.

    Raises:
        Error: they were not scored against the same links; no sentence pairs; an unusable argument.

    Source: Koehn 2004.
    """
    check_resampling(first.sentences, samples, confidence)
    if first.sentences != second.sentences or (first.sure != second.sure).any():
        raise Error("the two sets of links were not scored against the same sure links")
    totals = resampled_totals(np.concatenate([first.counts(), second.counts()], axis=1), samples, seed)
    one, other = _metrics(totals[:, :4]), _metrics(totals[:, 4:])
    return LinkComparison(
        **{
            metric: difference(
                getattr(first, metric) - getattr(second, metric), one[metric] - other[metric], confidence
            )
            for metric in _METRICS
        },
        signature=f"{first.signature}|paired-bootstrap:{samples}|seed:{seed}|confidence:{confidence:g}",
    )
