"""Gold and predicted labels of the same sentences, as evaluation takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner._support.arguments import several
from xner._support.arrow import list_lengths
from xner._support.sentences import to_arrow
from xner.errors import DataError, Error, OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from xner._support.sentences import Sentences

__all__ = ["GOLD", "PREDICTED", "ignored_classes", "read_sides"]

GOLD = "gold_labels"
PREDICTED = "predicted_labels"


def read_sides(
    gold_labels: Sentences, predicted_labels: Sentences
) -> tuple[pa.ListArray[Any], pa.ListArray[Any], npt.NDArray[np.int64]]:
    """Both sides' labels as list<string> without nulls, and the number of words of each sentence.

    Raises:
        DataError: something else than lists of labels, a missing sentence, or sentences of different lengths.
        Error: different numbers of sentences.
    """
    gold, predicted = _labels(gold_labels, GOLD), _labels(predicted_labels, PREDICTED)
    if len(gold) != len(predicted):
        raise Error(f"{GOLD} has {len(gold)} sentences but {PREDICTED} has {len(predicted)}")
    lengths, others = list_lengths(gold), list_lengths(predicted)
    if (lengths != others).any():
        row = int(np.argmax(lengths != others))
        raise DataError(row, PREDICTED, f"{others[row]} labels", f"{GOLD} has {lengths[row]} in this row")
    return gold, predicted, lengths


def ignored_classes(ignore: Sequence[str]) -> tuple[str, ...]:
    """Classes to leave out, sorted, each once.

    Raises:
        OptionError: no sequence of texts.
    """
    names = several("ignore", ignore, "classes")
    if not all(isinstance(name, str) for name in names):
        raise OptionError(f"ignore={ignore!r}: expected a sequence of classes, each a text")
    return tuple(sorted(set(names)))


def _labels(values: Sentences, name: str) -> pa.ListArray[Any]:
    lists = to_arrow(values, name).cast(schema.WORDS_TYPE)
    if lists.null_count:
        row = int(pc.index(pc.is_null(lists), True).as_py())
        raise DataError(row, name, "null", "a sentence without labels cannot be scored")
    return cast("pa.ListArray[Any]", lists)
