"""Several columns of links side by side: which link is in which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xner._support.arguments import LARGEST_INT32
from xner._support.arrow import as_arrow, flattened, is_lists, list_lengths
from xner._support.records import link_tuples
from xner.errors import DataError, Error
from xner.schema import LINKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from xner._support.records import LinksLike

__all__ = ["LinkColumn", "MergedLinks", "merge"]

LinkColumn: TypeAlias = "Iterable[LinksLike | None] | pa.Array[Any] | pa.ChunkedArray[Any]"
"""Links of each sentence pair, in any form; a missing row has none."""


@dataclass(frozen=True, slots=True, eq=False)
class MergedLinks:
    """The links that are in any of several columns, each once, by row, source and target.

    Attributes:
        rows: of the columns.
        row: of each link.
        source: word index.
        target: word index.
        present: (columns × links), whether the column has the link.
        scores: (columns × links) float32, the best score there; 1 for a link without a score, 0 for an absent one.
    """

    rows: int
    row: npt.NDArray[np.int64]
    source: npt.NDArray[np.int64]
    target: npt.NDArray[np.int64]
    present: npt.NDArray[np.bool_]
    scores: npt.NDArray[np.float32]

    def count(self, which: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """By row, how many of the chosen links it has."""
        return np.bincount(self.row[which], minlength=self.rows)


def merge(columns: Sequence[Any], names: Sequence[str]) -> MergedLinks:
    """Lay columns of links side by side.

    Args:
        columns: each an Arrow array of lists of structs `source` and `target`, `score` where there is one; or rows of
            links in any other form.
        names: what messages call them.

    Raises:
        Error: their numbers of rows differ.
        DataError: something else than links.
    """
    tables = [_flat(column, name) for column, name in zip(columns, names, strict=True)]
    for table, name in zip(tables, names, strict=True):
        if table.rows != tables[0].rows:
            raise Error(f"{names[0]} has {tables[0].rows} rows but {name} has {table.rows}")
    sources, targets = (1 + max(int(table.ends[side].max(initial=0)) for table in tables) for side in (0, 1))
    # One number a link sorts many times as fast as three.
    if tables[0].rows * sources * targets > np.iinfo(np.int64).max:
        raise Error(f"{tables[0].rows} rows with words up to {sources - 1} and {targets - 1} are too many for one call")
    sets = [_best_scores((table.row * sources + table.ends[0]) * targets + table.ends[1], table) for table in tables]
    every = np.sort(np.concatenate([keys for keys, _ in sets]), kind="stable")  # which uses that each is sorted
    every = every[_is_new(every)]
    present = np.zeros((len(tables), len(every)), np.bool_)
    scores = np.zeros(present.shape, np.float32)
    for index, (keys, best) in enumerate(sets):
        place = np.searchsorted(every, keys)
        present[index, place] = True
        scores[index, place] = best
    return MergedLinks(
        tables[0].rows, every // (sources * targets), every // targets % sources, every % targets, present, scores
    )


@dataclass(frozen=True, slots=True)
class _Flat:
    """The links of all rows of a column: their rows, ends (source and target) and scores."""

    rows: int
    row: npt.NDArray[np.int64]
    ends: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    scores: npt.NDArray[np.float32]


def _best_scores(keys: npt.NDArray[np.int64], links: _Flat) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The different keys, sorted, and the best score of each one's links."""
    if (keys[1:] > keys[:-1]).all():  # links mostly come sorted and once
        return keys, links.scores
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(_is_new(keys))
    return keys[first], np.maximum.reduceat(links.scores[order], first)


def _is_new(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which of sorted keys differ from the one before."""
    new = np.ones(len(keys), np.bool_)
    new[1:] = keys[1:] != keys[:-1]
    return new


def _flat(column: Any, name: str) -> _Flat:
    array = as_arrow(column)
    if array is None:
        return _flat_rows(column, name)
    if not (is_lists(array.type) and pa.types.is_struct(array.type.value_type)):
        return _flat_rows(array.to_pylist(), name)
    links = flattened(array)
    row = np.repeat(np.arange(len(array), dtype=np.int64), list_lengths(array))
    source, target = (_word_indices(links, field, row, name) for field in ("source", "target"))
    if links.type.get_field_index("score") < 0:
        scores: Any = np.ones(len(links), np.float32)
    else:
        values = pc.struct_field(links, "score")
        if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type) or pa.types.is_null(values.type)):
            raise DataError(-1, LINKS, str(values.type), f"{name}: expected scores that are numbers")
        scores = pc.fill_null(values.cast(pa.float64()), 1.0).to_numpy(zero_copy_only=False)
    return _Flat(len(array), row, (source, target), scores.astype(np.float32))


def _word_indices(links: pa.Array[Any], field: str, row: npt.NDArray[np.int64], name: str) -> npt.NDArray[np.int64]:
    if links.type.get_field_index(field) < 0 or not pa.types.is_integer(links.type.field(field).type):
        reason = f"{name}: expected lists of structs with 'source' and 'target', whole numbers"
        raise DataError(-1, LINKS, str(links.type), reason)
    values = pc.struct_field(links, field)
    if values.null_count:
        missing = int(row[int(pc.index(values.is_null(), pa.scalar(True)).as_py())])
        raise DataError(missing, LINKS, "null", f"{name}: a link's {field} is missing")
    return _from_zero(values.to_numpy(zero_copy_only=False), row, name)


def _from_zero(indices: npt.NDArray[Any], row: npt.NDArray[np.int64], name: str) -> npt.NDArray[np.int64]:
    """Word indices, checked.

    Raises:
        DataError: one is below 0, or beyond what 31 bits hold.
    """
    wrong = (indices < 0) | (indices > LARGEST_INT32)
    if wrong.any():
        at = int(np.argmax(wrong))
        reason = "word indices start at 0, and have 31 bits"
        raise DataError(int(row[at]), LINKS, str(indices[at]), f"{name}: {reason}")
    return indices.astype(np.int64)


def _flat_rows(rows: Any, name: str) -> _Flat:
    """Rows of links in any other form."""
    if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
        raise DataError(-1, LINKS, repr(rows)[:60], f"{name}: expected links for each sentence pair")
    links: list[tuple[int, int, float | None]] = []
    lengths = []
    for number, one in enumerate(rows):
        try:
            found = [] if one is None else link_tuples(LINKS, one)
        except DataError as error:
            raise DataError(number, LINKS, error.value, f"{name}: {error.reason}") from None
        links += found
        lengths.append(len(found))
    row = np.repeat(np.arange(len(lengths), dtype=np.int64), np.array(lengths, np.int64))
    source, target = (_from_zero(np.array([link[side] for link in links], np.int64), row, name) for side in (0, 1))
    scores = np.array([1.0 if score is None else score for *_, score in links], np.float32)
    return _Flat(len(lengths), row, (source, target), scores)
