"""How good word links are: precision, recall and alignment error rate against hand-made ones.

Source: Och, Ney 2003, *A Systematic Comparison of Various Statistical Alignment Models*, section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xner._support.tables import html_table
from xner._version import __version__
from xner.alignment.links._merging import LinkColumn, merge
from xner.errors import Error
from xner.evaluation._resampling import percentile_interval
from xner.evaluation.intervals import Difference, Interval, MetricIntervals, PairedComparison

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["LinkComparison", "LinkIntervals", "LinkScores", "score"]

_METRICS = ("precision", "recall", "f1", "aer")
_COUNTS = ("found", "sure", "sure_hits", "possible_hits")


@dataclass(frozen=True, slots=True, repr=False)
class LinkIntervals(MetricIntervals):
    """What `xner.evaluation.bootstrap` says of the scores of links: percentile intervals of the figures."""

    aer: Interval
    signature: str

    def to_dict(self) -> dict[str, Any]:
        """All intervals as plain values that JSON can hold."""
        return {**MetricIntervals.to_dict(self), "signature": self.signature}


@dataclass(frozen=True, slots=True, repr=False)
class LinkComparison(PairedComparison):
    """What `xner.evaluation.paired_bootstrap` says of the scores of links: the first ones' minus the second ones'."""

    aer: Difference


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

    def __repr__(self) -> str:
        figures = ", ".join(f"{metric}={self._metric(metric):.3f}" for metric in _METRICS)
        return f"LinkScores({figures}, sentences={self.sentences})"

    def _repr_html_(self) -> str:
        header = ["precision", "recall", "F1", "AER", "links", "sure"]
        figures = [f"{self._metric(metric):.3f}" for metric in _METRICS]
        return html_table([header, [*figures, str(self.found.sum()), str(self.sure.sum())]], self.signature)

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
            **{name: int(getattr(self, name).sum()) for name in _COUNTS},
            "sentences": self.sentences,
            "signature": self.signature,
        }

    def counts(self) -> npt.NDArray[np.int64]:
        """(sentence pairs × 4): found, sure, sure hits, possible hits."""
        return np.stack([getattr(self, name) for name in _COUNTS], axis=1)

    def counts_by_class(self) -> npt.NDArray[np.int64]:
        """`counts`, as links have no classes; see `xner.evaluation.SentenceScores`."""
        return self.counts()

    @staticmethod
    def figures(totals: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.float64]]:
        """The figures of many totals of `counts` at once; see `xner.evaluation.SentenceScores`."""
        found, sure, sure_hits, possible_hits = totals.T
        precision = possible_hits / np.maximum(found, 1)
        recall = sure_hits / np.maximum(sure, 1)
        both = np.where(precision + recall > 0, precision + recall, 1)
        aer = np.where(found + sure > 0, 1 - (sure_hits + possible_hits) / np.maximum(found + sure, 1), 0)
        return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / both, "aer": aer}

    def intervals(self, totals: npt.NDArray[np.float64], confidence: float, signature: str) -> LinkIntervals:
        """Intervals out of many totals of `counts`; see `xner.evaluation.SentenceScores`."""
        figures = {name: percentile_interval(one, confidence) for name, one in self.figures(totals).items()}
        return LinkIntervals(**figures, signature=signature)

    def comparison(self, differences: dict[str, Difference], signature: str) -> LinkComparison:
        """See `xner.evaluation.SentenceScores`."""
        return LinkComparison(**differences, signature=signature)

    def check_comparable(self, other: LinkScores) -> None:
        """Check that other links were scored against the same sure ones.

        Raises:
            Error: they were not.
        """
        if self.sentences != other.sentences or (self.sure != other.sure).any():
            raise Error("the two sets of links were not scored against the same sure links")

    def pooled(self, others: Sequence[LinkScores]) -> LinkScores:
        """These scores and others of the same sentence pairs as one; see `xner.evaluation.pool`."""
        return LinkScores(*sum((other.counts() for other in others), self.counts()).T)

    def _metric(self, metric: str) -> float:
        return float(self.figures(self.counts().sum(axis=0, keepdims=True).astype(np.float64))[metric][0])


def score(gold: LinkColumn, predicted: LinkColumn, *, possible: LinkColumn | None = None) -> LinkScores:
    """Compare links with hand-made ones.

    Args:
        gold: the sure links: an Arrow array of lists of structs `source` and `target`, or rows of links in any other
            form. `xner.io.read_pharaoh(path, possible="drop")` reads them from a file.
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
