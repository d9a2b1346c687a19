"""What is counted of labels, document by document: entities, those unseen in training, spans alone; and calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xner import labels
from xner._support.arrow import flattened, list_lengths, one_array, pylist

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy.typing as npt

__all__ = ["MEASURES", "Entities", "calibration_error", "counted", "entities_of", "entity_confidences", "names_of"]

MEASURES: Final = {
    "f1": "F1 of entities: words and class are right",
    "unseen": "likewise, of entities alone whose words are no name in the training data",
    "agnostic": "F1 of spans: the words are right, whatever the class",
}
"""What F1 is counted of."""

_BINS = 10


class Entities(NamedTuple):
    """The entities of a text.

    Attributes:
        start: int64, the first word of each, counted through the whole text.
        end: likewise, one past its last word.
        label: the classes.
        is_unseen: whether its words are no name in the training data.
    """

    start: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    label: list[str]
    is_unseen: npt.NDArray[np.bool_]


def names_of(tokens: pa.Array[Any], spelled: pa.Array[Any]) -> set[str]:
    """The words of all entities, blanks between them.

    Args:
        tokens: list<string>.
        spelled: list<string>, their labels.
    """
    start, end, _ = _bounds(spelled)
    words = pylist(flattened(tokens))
    return {" ".join(words[a:b]) for a, b in zip(start.tolist(), end.tolist(), strict=True)}


def _bounds(spelled: pa.Array[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], list[str]]:
    found = labels.decode_batch(spelled)
    flat = flattened(found)
    lengths = list_lengths(spelled)
    first = np.repeat(np.cumsum(lengths) - lengths, list_lengths(found))
    start, end = (
        first + np.asarray(pc.struct_field(flat, name).to_numpy(zero_copy_only=False), np.int64)
        for name in ("start", "end")
    )
    return start, end, pylist(pc.struct_field(flat, "label"))


def entities_of(tokens: pa.Array[Any], spelled: pa.Array[Any], seen: Collection[str]) -> Entities:
    """The entities that labels spell.

    Args:
        tokens: list<string>.
        spelled: list<string>, one a word.
        seen: names of the training data, as of `names_of`.
    """
    start, end, names = _bounds(one_array(spelled))
    words = pylist(flattened(tokens))
    unseen = [" ".join(words[a:b]) not in seen for a, b in zip(start.tolist(), end.tolist(), strict=True)]
    return Entities(start, end, names, np.array(unseen, np.bool_))


def counted(
    gold: Entities, predicted: Entities, documents: npt.NDArray[np.int64], count: int
) -> tuple[dict[str, npt.NDArray[np.int32]], npt.NDArray[np.bool_]]:
    """What is right, too much and missed.

    Args:
        gold: the right entities.
        predicted: the found ones.
        documents: that of each word; an entity belongs to that of its first one.
        count: how many there are.

    Returns:
        By measure, documents × 3: entities found, too much, missed; and which of the predicted ones are right.
    """
    classes = {name: number for number, name in enumerate(sorted({*gold.label, *predicted.label}))}
    words = len(documents) + 1

    def keys(some: Entities, *, agnostic: bool) -> npt.NDArray[np.int64]:
        """A number for each entity that tells it from all others."""
        codes = (
            np.zeros(len(some.label), np.int64) if agnostic else np.array([classes[n] for n in some.label], np.int64)
        )
        return (some.start * words + some.end) * (len(classes) + 1) + codes

    def by_document(some: Entities, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        return np.bincount(documents[some.start[chosen]], minlength=count)

    found: dict[str, npt.NDArray[np.int32]] = {}
    right = np.isin(keys(predicted, agnostic=False), keys(gold, agnostic=False))
    reached = np.isin(keys(gold, agnostic=False), keys(predicted, agnostic=False))
    spans = np.isin(keys(predicted, agnostic=True), keys(gold, agnostic=True))
    covered = np.isin(keys(gold, agnostic=True), keys(predicted, agnostic=True))
    all_gold, all_predicted = np.ones(len(gold.label), np.bool_), np.ones(len(predicted.label), np.bool_)
    for name, hit, met, of_gold, of_predicted in (
        ("f1", right, reached, all_gold, all_predicted),
        ("unseen", right, reached, gold.is_unseen, predicted.is_unseen),
        ("agnostic", spans, covered, all_gold, all_predicted),
    ):
        three = (
            by_document(predicted, hit & of_predicted),
            by_document(predicted, ~hit & of_predicted),
            by_document(gold, ~met & of_gold),
        )
        found[name] = np.stack(three, axis=1).astype(np.int32)
    return found, right


def entity_confidences(predicted: Entities, probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float64] | None:
    """How sure a tagger is of its entities: the mean probability of their words' labels.

    Args:
        predicted: its entities.
        probabilities: of each word's label.

    Returns:
        One an entity; None for a tagger that is certain of all words, which is what those say that have no
        probabilities.
    """
    if (probabilities == 1).all():
        return None
    sums = np.concatenate([[0.0], np.cumsum(probabilities, dtype=np.float64)])
    found: npt.NDArray[np.float64] = (sums[predicted.end] - sums[predicted.start]) / (predicted.end - predicted.start)
    return np.minimum(found, 1.0)


def calibration_error(confidences: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> float | None:
    """The expected calibration error of entities: how far a tagger's confidence is from the share that is right.

    Args:
        confidences: of its entities, from 0 to 1.
        right: which of them are.

    Returns:
        The mean over ten bins of equal width of the distance, each by its share of the entities; None without any.

    Source: Guo, Pleiss, Sun, Weinberger 2017, of entities in place of images.
    """
    if not len(confidences):
        return None
    bins = np.minimum((confidences * _BINS).astype(np.int64), _BINS - 1)
    sure = np.bincount(bins, weights=confidences, minlength=_BINS)
    hits = np.bincount(bins, weights=right, minlength=_BINS)
    return float(np.abs(sure - hits).sum() / len(confidences))
