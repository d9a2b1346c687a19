"""What kinds of errors a tagger makes: missed, spurious, wrong boundaries, wrong class; and which classes it confuses.

Gold and predicted entities of a sentence that are not the same are paired, one to one, where they share words. A pair
is one error in both: it is wrong in its boundaries, its class, or both. A gold entity without a partner was missed, a
predicted one without is spurious. So false positives are the wrong pairs and the spurious ones, false negatives the
wrong pairs and the missed ones.

Source: the categories follow Chinchor, Sundheim 1993 (MUC-5): partial, incorrect, missing, spurious.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from xner import labels
from xner._support.arrow import pylist
from xner._support.records import entity_tuples
from xner._support.tables import html_table, text_table
from xner.evaluation._sides import GOLD, PREDICTED, ignored_classes, read_sides

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from xner._support.records import EntitiesLike
    from xner._support.sentences import Sentences

__all__ = ["KINDS", "ErrorAnalysis", "analyse", "decoded", "pair_entities", "paired"]

KINDS = ("missed", "spurious", "boundary", "class", "boundary and class")

Entity: TypeAlias = "tuple[int, int, str]"


@dataclass(frozen=True, slots=True)
class ErrorAnalysis:
    """The result of `analyse`.

    Attributes:
        correct: entities of the right words and class.
        kinds: number of errors by kind, a name of `KINDS`.
        confusion: number of entities by gold and predicted class; None on one side stands for missed or spurious ones.
    """

    correct: int
    kinds: dict[str, int]
    confusion: dict[tuple[str | None, str | None], int]

    @property
    def classes(self) -> list[str]:
        """All classes, sorted."""
        return sorted({name for pair in self.confusion for name in pair if name is not None})

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain values that JSON can hold; `confusion` by gold, then predicted class, `-` for none."""
        names = [*self.classes, None]
        return {
            "correct": self.correct,
            "errors": dict(self.kinds),
            "confusion": {
                gold or "-": {predicted or "-": self.confusion.get((gold, predicted), 0) for predicted in names}
                for gold in names
            },
        }

    def table(self) -> str:
        """The confusion of classes as lines of text: gold classes down, predicted ones across."""
        return text_table(self._rows())

    def __repr__(self) -> str:
        return f"ErrorAnalysis({self._summary})"

    def _repr_html_(self) -> str:
        return html_table(self._rows(), self._summary)

    @property
    def _summary(self) -> str:
        return ", ".join([f"{self.correct} correct", *(f"{count} {kind}" for kind, count in self.kinds.items())])

    def _rows(self) -> list[list[str]]:
        """The table's cells, the header first."""
        names = [*self.classes, None]
        rows = [["gold \\ predicted", *(name or "missed" for name in names)]]
        for gold in names:
            cells = [str(self.confusion.get((gold, predicted), 0)) for predicted in names]
            rows.append([gold or "spurious", *(cells if gold else [*cells[:-1], ""])])
        return rows


def analyse(gold_labels: Sentences, predicted_labels: Sentences, *, ignore: Sequence[str] = ()) -> ErrorAnalysis:
    """Tell the errors of predicted labels by kind.

    Args:
        gold_labels: the tags of each sentence's words, in any form that `evaluate` takes; read as `labels.decode` does
            by default.
        predicted_labels: likewise; as many sentences, of as many words.
        ignore: classes whose entities are left out on both sides.

    Raises:
        Error: different numbers of sentences, or an unusable argument.
        DataError: sentences of different lengths, or something that is not a tag; the message names the row.
    """
    ignored = ignored_classes(ignore)
    gold_lists, predicted_lists, _ = read_sides(gold_labels, predicted_labels)
    kinds = dict.fromkeys(KINDS, 0)
    confusion: Counter[tuple[str | None, str | None]] = Counter()
    correct = 0
    for gold, predicted in zip(
        decoded(gold_lists, GOLD, ignored), decoded(predicted_lists, PREDICTED, ignored), strict=True
    ):
        for one, other in paired(gold, predicted):
            confusion[one and one[2], other and other[2]] += 1
            if one == other:
                correct += 1
            else:
                kinds[_kind(one, other)] += 1
    return ErrorAnalysis(correct, kinds, dict(confusion))


def decoded(lists: pa.ListArray[Any], column: str, ignored: Sequence[str]) -> Iterator[list[Entity]]:
    """The entities of each sentence."""
    for row in pylist(labels.decode_batch(lists, column=column)):
        yield [(one["start"], one["end"], one["label"]) for one in row if one["label"] not in ignored]


def pair_entities(gold: EntitiesLike, predicted: EntitiesLike) -> list[tuple[Entity | None, Entity | None]]:
    """Pair a sentence's gold with its predicted entities.

    Those that are the same come together first, then those of the same words, then those that share most words, of
    those with as many such of the same class, and of these the leftmost.

    Args:
        gold: `(start, end, label)`, or what has these names, without overlaps.
        predicted: likewise.

    Returns:
        Each entity once, as a tuple; None in place of a partner that shares no word with it.

    Raises:
        DataError: something else than an entity.
    """
    return paired(entity_tuples("gold", gold), entity_tuples("predicted", predicted))


def paired(gold: Sequence[Entity], predicted: Sequence[Entity]) -> list[tuple[Entity | None, Entity | None]]:
    """`pair_entities` of tuples that are known to be some."""
    shared = [
        (one != other, one[:2] != other[:2], -words, one[2] != other[2], one, other)
        for one in gold
        for other in predicted
        if (words := min(one[1], other[1]) - max(one[0], other[0])) > 0
    ]
    left, right = dict.fromkeys(gold), dict.fromkeys(predicted)
    pairs: list[tuple[Entity | None, Entity | None]] = []
    for *_, one, other in sorted(shared):
        if one in left and other in right:
            pairs.append((one, other))
            del left[one], right[other]
    return [*pairs, *((one, None) for one in left), *((None, other) for other in right)]


def _kind(gold: Entity | None, predicted: Entity | None) -> str:
    if gold is None:
        return "spurious"
    if predicted is None:
        return "missed"
    if gold[:2] == predicted[:2]:
        return "class"
    return "boundary" if gold[2] == predicted[2] else "boundary and class"
