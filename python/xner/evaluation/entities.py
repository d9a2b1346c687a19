"""Entity-level evaluation: precision, recall and F1.

An entity counts as found when its words and its class are those of a gold entity. The lenient reading of tags
is that of conlleval and of seqeval's default, the strict one that of seqeval's strict mode for IOB2. What
deviates:

- Tags that seqeval only warns about and then reads by their first character (`O-PER`, `PER`, `b-PER`, `U-PER`) are an
  error: they come from a wrong column or from a scheme that would be misread.
- In the strict mode a tag without a class (`B`) is an error, and a class may begin or end with a hyphen.
- A figure without a denominator is 0.0, without a warning; so is a macro average over no classes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xner import labels
from xner._support.arguments import choose
from xner._support.calls import explained
from xner._support.tables import html_table, text_table
from xner._version import __version__
from xner.errors import DataError, Error
from xner.evaluation._resampling import percentile_interval
from xner.evaluation._sides import GOLD, PREDICTED, ignored_classes, read_sides
from xner.evaluation.intervals import Difference, Intervals, MetricIntervals, PairedComparison

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from xner._support.sentences import Sentences

__all__ = ["Averages", "ClassScores", "Mode", "Scores", "evaluate"]

Mode = Literal["lenient", "strict"]

_PREFIXES = {"lenient": "BIES", "strict": "BI"}


@dataclass(frozen=True, slots=True)
class Averages:
    """Precision, recall and F1, each the mean over the classes."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class ClassScores:
    """What was found of one class, or of all.

    Attributes:
        tp: entities found.
        fp: predicted entities that are no gold entities.
        fn: gold entities not found.
    """

    tp: int
    fp: int
    fn: int

    @property
    def precision(self) -> float:
        """Share of the predicted entities that are right; 0 where there are none."""
        return self.tp / max(self.tp + self.fp, 1)

    @property
    def recall(self) -> float:
        """Share of the gold entities that were found; 0 where there are none."""
        return self.tp / max(self.support, 1)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where both are."""
        return 2 * self.tp / max(2 * self.tp + self.fp + self.fn, 1)

    def f_beta(self, beta: float) -> float:
        """Harmonic mean of precision and recall in which recall weighs `beta` squared times as much; F1 for 1.

        Source: van Rijsbergen 1979, chapter 7.
        """
        weighted = (1 + beta**2) * self.tp
        return weighted / (weighted + self.fp + beta**2 * self.fn) if self.tp else 0.0

    @property
    def support(self) -> int:
        """Number of gold entities."""
        return self.tp + self.fn

    def to_dict(self) -> dict[str, float | int]:
        """All figures by name."""
        names = ("precision", "recall", "f1", "support", "tp", "fp", "fn")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The result of `evaluate`.

    Attributes:
        classes: the classes of gold and predicted entities, sorted.
        tp: int32, sentences x classes: entities found.
        fp: likewise, predicted entities that are no gold entities.
        fn: likewise, gold entities not found.
        mode: how tags were read.
        ignore: classes that were left out on both sides, sorted.
        micro: the counts of all classes together.
        per_class: the counts of each class.
    """

    classes: tuple[str, ...]
    tp: npt.NDArray[np.int32] = field(repr=False)
    fp: npt.NDArray[np.int32] = field(repr=False)
    fn: npt.NDArray[np.int32] = field(repr=False)
    mode: Mode
    ignore: tuple[str, ...]
    micro: ClassScores = field(init=False)
    per_class: dict[str, ClassScores] = field(init=False)

    def __post_init__(self) -> None:
        totals = [counts.sum(axis=0, dtype=np.int64).tolist() for counts in (self.tp, self.fp, self.fn)]
        per_class = {name: ClassScores(tp, fp, fn) for name, tp, fp, fn in zip(self.classes, *totals, strict=True)}
        object.__setattr__(self, "per_class", per_class)
        object.__setattr__(self, "micro", ClassScores(*(sum(total) for total in totals)))

    @property
    def sentences(self) -> int:
        """Number of sentences, those without entities included."""
        return len(self.tp)

    @property
    def precision(self) -> float:
        """Micro-averaged precision."""
        return self.micro.precision

    @property
    def recall(self) -> float:
        """Micro-averaged recall."""
        return self.micro.recall

    @property
    def f1(self) -> float:
        """Micro-averaged F1."""
        return self.micro.f1

    @property
    def support(self) -> int:
        """Number of gold entities."""
        return self.micro.support

    @property
    def macro(self) -> Averages:
        """Means over the classes that occur in gold or predicted entities, each class counting the same."""
        every = self.per_class.values()
        return Averages(
            *(sum(getattr(one, name) for one in every) / max(len(every), 1) for name in ("precision", "recall", "f1"))
        )

    @property
    def projection_ratio(self) -> float:
        """Mean over the sentences of the number of predicted by the number of gold entities.

        A sentence with neither counts as 1. One with predicted entities alone counts as their number, as if
        it had one gold entity: the ratio has no other finite value that grows with what is too much. Without
        sentences the ratio is 1.

        Source: Politov, Shkalikov, Jäkel, Färber 2025, which leaves the second case open.
        """
        if not self.sentences:
            return 1.0
        predicted = (self.tp + self.fp).sum(axis=1)
        gold = (self.tp + self.fn).sum(axis=1)
        return float(np.where(predicted + gold == 0, 1.0, predicted / np.maximum(gold, 1)).mean())

    @property
    def predicted(self) -> int:
        """Number of predicted entities."""
        return self.micro.tp + self.micro.fp

    @property
    def entity_ratio(self) -> float:
        """Number of predicted by the number of gold entities, of all sentences together; 1 where there are neither."""
        if not self.support:
            return 1.0 if not self.predicted else float("inf")
        return self.predicted / self.support

    @property
    def signature(self) -> str:
        """What must be equal for two figures to be comparable."""
        return _signature(mode=self.mode, ignore=",".join(self.ignore) or "none", average="micro", n=self.sentences)

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain values that JSON can hold; the counts of single sentences are left out."""
        macro = self.macro
        return {
            "micro": self.micro.to_dict(),
            "macro": {"precision": macro.precision, "recall": macro.recall, "f1": macro.f1},
            "per_class": {name: one.to_dict() for name, one in self.per_class.items()},
            "projection_ratio": self.projection_ratio,
            "predicted": self.predicted,
            "gold": self.support,
            "sentences": self.sentences,
            "signature": self.signature,
        }

    def to_json(self, *, indent: int | None = 2) -> str:
        """`to_dict` as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent)

    def counts(self) -> npt.NDArray[np.int64]:
        """(sentences × 3): entities found, too much, missed, of all classes together."""
        return np.stack([counts.sum(axis=1, dtype=np.int64) for counts in (self.tp, self.fp, self.fn)], axis=1)

    def counts_by_class(self) -> npt.NDArray[np.int32]:
        """(sentences × 3 · classes): entities found of each class, then too much, then missed."""
        return np.concatenate([self.tp, self.fp, self.fn], axis=1)

    @staticmethod
    def figures(totals: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.float64]]:
        """Precision, recall and F1 of many totals of `counts` at once; see `xner.evaluation.SentenceScores`."""
        tp, fp, fn = totals.T
        return {
            "precision": tp / np.maximum(tp + fp, 1),
            "recall": tp / np.maximum(tp + fn, 1),
            "f1": 2 * tp / np.maximum(2 * tp + fp + fn, 1),
        }

    def intervals(self, totals: npt.NDArray[np.float64], confidence: float, signature: str) -> Intervals:
        """Intervals out of many totals of `counts_by_class`; see `xner.evaluation.SentenceScores`."""
        by_class = totals.reshape(len(totals), 3, len(self.classes))

        def intervals(counts: npt.NDArray[np.float64]) -> MetricIntervals:
            figures = self.figures(counts)
            return MetricIntervals(**{name: percentile_interval(one, confidence) for name, one in figures.items()})

        return Intervals(
            micro=intervals(by_class.sum(axis=2)),
            per_class={name: intervals(by_class[:, :, index]) for index, name in enumerate(self.classes)},
            confidence=confidence,
            signature=signature,
        )

    def comparison(self, differences: dict[str, Difference], signature: str) -> PairedComparison:
        """See `xner.evaluation.SentenceScores`."""
        return PairedComparison(**differences, signature=signature)

    def check_comparable(self, other: Scores) -> None:
        """Check that another system was scored alike, on the same gold labels.

        Raises:
            Error: it was not.
        """
        for name in ("sentences", "mode", "ignore"):
            if getattr(self, name) != getattr(other, name):
                raise Error(
                    f"the two systems were not scored alike: {name} {getattr(self, name)} and {getattr(other, name)}"
                )
        gold = [(side.tp + side.fn).sum(axis=1) for side in (self, other)]
        if (gold[0] != gold[1]).any():
            row = int(np.argmax(gold[0] != gold[1]))
            raise Error(
                f"the two systems were not scored on the same gold labels: sentence {row} has "
                f"{gold[0][row]} gold entities for the first and {gold[1][row]} for the second"
            )

    def pooled(self, others: Sequence[Scores]) -> Scores:
        """These scores and others of the same sentences as one; see `xner.evaluation.pool`."""
        runs = [self, *others]
        classes = tuple(sorted({name for run in runs for name in run.classes}))

        def total(kind: str) -> npt.NDArray[np.int32]:
            counts = np.zeros((self.sentences, len(classes)), np.int32)
            for run in runs:
                counts[:, [classes.index(name) for name in run.classes]] += getattr(run, kind)
            return counts

        return Scores(classes, total("tp"), total("fp"), total("fn"), self.mode, self.ignore)

    @classmethod
    def joined(cls, parts: Sequence[Scores]) -> Scores:
        """The scores of sentences that were scored piece by piece, in the same way.

        Args:
            parts: of sentences that follow on each other; at least one.
        """
        classes = tuple(sorted({name for part in parts for name in part.classes}))

        def joined(kind: str) -> npt.NDArray[np.int32]:
            counts = np.zeros((sum(part.sentences for part in parts), len(classes)), np.int32)
            first = 0
            for part in parts:
                columns = [classes.index(name) for name in part.classes]
                counts[first : first + part.sentences, columns] = getattr(part, kind)
                first += part.sentences
            return counts

        return cls(classes, joined("tp"), joined("fp"), joined("fn"), parts[0].mode, parts[0].ignore)

    def without(self, ignore: Sequence[str]) -> Scores:
        """These scores as `evaluate` gives them where classes are left out."""
        ignored = ignored_classes(ignore)
        kept = [place for place, name in enumerate(self.classes) if name not in ignored]
        counts = (self.tp[:, kept], self.fp[:, kept], self.fn[:, kept])
        return Scores(tuple(self.classes[place] for place in kept), *counts, self.mode, ignored)

    def table(self, intervals: Intervals | None = None) -> str:
        """The figures as lines of text: classes, micro and macro averages, projection ratio, signature.

        Args:
            intervals: of `bootstrap`, to be shown beside F1.
        """
        text = [text_table(self._rows(intervals))]
        text.append(
            f"projection ratio {self.projection_ratio:.3f} (mean over sentences, 1 for one without entities); "
            f"{self.predicted} entities predicted, {self.support} gold ones ({self.entity_ratio:.3f})"
        )
        if self.support and not self.predicted:
            text.append("no entity was predicted at all")
        text.append(self.signature if intervals is None else intervals.signature)
        return "\n".join(text)

    def __repr__(self) -> str:
        figures = f"f1={self.f1:.3f}, precision={self.precision:.3f}, recall={self.recall:.3f}"
        return f"Scores({figures}, support={self.support}, sentences={self.sentences})"

    def _repr_html_(self) -> str:
        return html_table(self._rows(), f"projection ratio {self.projection_ratio:.3f}, {self.signature}")

    def _rows(self, intervals: Intervals | None = None) -> list[list[str]]:
        """The table's cells, the header first."""
        header = ["", "precision", "recall", "F1", "support"]
        rows = [_row(name, one, one.support) for name, one in self.per_class.items()]
        rows.append(_row("micro", self.micro, self.support))
        rows.append(_row("macro", self.macro, self.support))
        if intervals is not None:
            header.append(f"F1, {100 * intervals.confidence:g} % interval")
            shown = [*(intervals.per_class[name].f1 for name in self.classes), intervals.micro.f1]
            for row, interval in zip(rows, [*map(str, shown), ""], strict=True):
                row.append(interval)
        return [header, *rows]


def _row(name: str, figures: ClassScores | Averages, support: int) -> list[str]:
    return [
        name,
        *(f"{value:.3f}" for value in (figures.precision, figures.recall, figures.f1)),
        str(support),
    ]


def _signature(**parts: object) -> str:
    return "|".join([f"xner:{__version__}", *(f"{name}:{value}" for name, value in parts.items())])


@explained(
    tables="it takes columns of labels: `evaluate(gold['labels'], predicted['labels'])`, or of one table "
    "`evaluate(table['gold_labels'], table['labels'])`",
    lacking={"predicted_labels": "the tags that are compared with the gold ones, a list a sentence"},
)
def evaluate(
    gold_labels: Sentences,
    predicted_labels: Sentences,
    *,
    mode: Mode = "lenient",
    ignore: Sequence[str] = (),
) -> Scores:
    """Compares predicted with gold entities.

    Args:
        gold_labels: the tags of each sentence's words: lists of texts, or an Arrow array of list<string>, chunked or
            not.
        predicted_labels: likewise; as many sentences, of as many words.
        mode: "lenient" takes every tag that is not `O` as part of an entity (conlleval, seqeval's default),
            "strict" only what IOB2 allows (seqeval's strict mode).
        ignore: classes whose entities are left out on both sides.

    Returns:
        Figures for all entities and for each class, and the counts of each sentence.

    Raises:
        DataError: sentences of different lengths, or something that is not a tag; the message names the row.
        Error: different numbers of sentences, or an unusable argument.

    Source: Tjong Kim Sang, De Meulder 2003 (the lenient reading).
    """
    choose("mode", mode, _PREFIXES)
    ignored = ignored_classes(ignore)
    gold, predicted, lengths = read_sides(gold_labels, predicted_labels)
    _check_tags(gold, lengths, GOLD, mode)
    _check_tags(predicted, lengths, PREDICTED, mode)

    found = [labels.decode_batch(side, scheme="IOB2", reading=mode) for side in (gold, predicted)]
    names = [pc.struct_field(pc.list_flatten(entities), "label") for entities in found]
    known = {name for side in names for name in pc.unique(side).to_pylist()}
    classes = tuple(sorted(known - set(ignored)))
    row_g, start_g, end_g, class_g = _entities(found[0], lengths, classes)
    row_p, start_p, end_p, class_p = _entities(found[1], lengths, classes)

    # Entities of one side do not overlap, so that a start within the corpus names one entity at most.
    place = np.minimum(np.searchsorted(start_g, start_p), max(len(start_g) - 1, 0))
    hit = np.zeros(len(start_p), dtype=np.bool_)
    if len(start_g):
        hit = (start_g[place] == start_p) & (end_g[place] == end_p) & (class_g[place] == class_p)
    shape = (len(gold), len(classes))
    tp = _count(row_p[hit], class_p[hit], shape)
    return Scores(
        classes=classes,
        tp=tp,
        fp=_count(row_p, class_p, shape) - tp,
        fn=_count(row_g, class_g, shape) - tp,
        mode=mode,
        ignore=ignored,
    )


def _check_tags(lists: pa.ListArray[Any], lengths: npt.NDArray[np.int64], name: str, mode: Mode) -> None:
    flat = pc.list_flatten(lists)
    for tag in pc.unique(flat).to_pylist():
        if tag is not None and _is_tag(tag, mode):
            continue
        word = int(pc.index(pc.is_null(flat) if tag is None else pc.equal(flat, tag), True).as_py())
        row = int(np.searchsorted(np.cumsum(lengths), word, side="right"))
        expected = " ".join(f"{prefix}-" for prefix in _PREFIXES[mode])
        reason = f"not a tag: expected O, or one of {expected} and a class (mode {mode!r})"
        if tag and tag == tag.strip():
            reason += "; `xner.labels.read_tags` makes such of other spellings: L-PER, PER-B, b-per"
        raise DataError(row, name, "null" if tag is None else repr(tag), reason)


def _is_tag(tag: str, mode: Mode) -> bool:
    if tag == "O":
        return True
    if tag != tag.strip():  # which is no other class
        return False
    has_prefix = tag[:1] in {*_PREFIXES[mode]} and tag[1:2] in {"", "-"}
    return has_prefix and (len(tag) > 2 or mode == "lenient")


def _entities(
    entities: pa.ListArray[Any], lengths: npt.NDArray[np.int64], classes: tuple[str, ...]
) -> tuple[npt.NDArray[np.int64], ...]:
    """Row, start and end in the whole corpus' words, and class of each entity, in order."""
    flat = pc.list_flatten(entities)
    counts = np.asarray(pc.list_value_length(entities).to_numpy(zero_copy_only=False), dtype=np.int64)
    rows = np.repeat(np.arange(len(entities)), counts)
    first_word = (np.cumsum(lengths) - lengths)[rows]
    start = first_word + pc.struct_field(flat, "start").to_numpy()
    end = first_word + pc.struct_field(flat, "end").to_numpy()
    codes = pc.index_in(pc.struct_field(flat, "label"), value_set=pa.array(classes, pa.string()))
    code = np.asarray(pc.fill_null(codes, -1).to_numpy(), dtype=np.int64)
    kept = code >= 0
    return rows[kept], start[kept], end[kept], code[kept]


def _count(
    rows: npt.NDArray[np.int64], classes: npt.NDArray[np.int64], shape: tuple[int, int]
) -> npt.NDArray[np.int32]:
    cells = np.bincount(rows * shape[1] + classes, minlength=shape[0] * shape[1])
    return cells.astype(np.int32).reshape(shape)
