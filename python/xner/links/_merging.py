"""Several columns of links side by side: which link is in which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xner._arguments import index_pairs
from xner._arrow import one_array
from xner.errors import DataError, Error
from xner.schema import LINKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["LinkColumn", "MergedLinks", "merge"]

LinkColumn: TypeAlias = "Sequence[Any] | pa.Array | pa.ChunkedArray"


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
        columns: each an Arrow array of lists of structs `source` and `target`, `score` where there is one; or a
            sequence of lists of `(source, target)` pairs.
        names: what messages call them.

    Raises:
        Error: their numbers of rows differ.
        DataError: something else than links.
    """
    tables = [_flat(column, name) for column, name in zip(columns, names, strict=True)]
    for table, name in zip(tables, names, strict=True):
        if table[0] != tables[0][0]:
            raise Error(f"{names[0]} has {tables[0][0]} rows but {name} has {table[0]}")
    row, source, target = (np.concatenate([table[k] for table in tables]) for k in (1, 2, 3))
    owner = np.repeat(np.arange(len(tables)), [len(table[1]) for table in tables])
    order = np.lexsort((target, source, row))
    keys = np.stack([row[order], source[order], target[order]])
    new = np.ones(keys.shape[1], np.bool_)
    new[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    place = np.cumsum(new) - 1
    present = np.zeros((len(tables), int(new.sum())), np.bool_)
    present[owner[order], place] = True
    scores = np.zeros(present.shape, np.float32)
    np.maximum.at(scores, (owner[order], place), np.concatenate([table[4] for table in tables])[order])
    row, source, target = keys[:, new]
    return MergedLinks(tables[0][0], row, source, target, present, scores)


def _flat(column: Any, name: str) -> tuple[int, npt.NDArray[np.int64], npt.NDArray[Any], npt.NDArray[Any], Any]:
    """Rows of a column, and its links' rows, sources, targets and scores."""
    if isinstance(column, pa.ChunkedArray):
        column = one_array(column)
    if not isinstance(column, pa.Array):
        return _flat(_from_pairs(column, name), name)
    kind = column.type
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not lists or not pa.types.is_struct(kind.value_type) or kind.value_type.get_field_index("target") < 0:
        raise DataError(-1, LINKS, str(kind), f"{name}: expected lists of structs with 'source' and 'target'")
    links = column.flatten()
    lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    row = np.repeat(np.arange(len(column), dtype=np.int64), lengths)
    ends = []
    for field in ("source", "target"):
        values = pc.struct_field(links, field)
        if values.null_count:
            missing = int(row[int(pc.index(values.is_null(), pa.scalar(True)).as_py())])
            raise DataError(missing, LINKS, "null", f"{name}: a link's {field} is missing")
        ends.append(values.to_numpy(zero_copy_only=False).astype(np.int64))
    if kind.value_type.get_field_index("score") < 0:
        scores: Any = np.ones(len(links), np.float32)
    else:
        scores = pc.fill_null(pc.struct_field(links, "score"), 1.0).to_numpy(zero_copy_only=False)
    return len(column), row, *ends, scores.astype(np.float32)


def _from_pairs(column: Any, name: str) -> pa.Array:
    rows = []
    for number, pairs in enumerate(column):
        try:
            rows.append([{"source": s, "target": t} for s, t in index_pairs(LINKS, pairs)])
        except DataError as error:
            raise DataError(number, LINKS, error.value, f"{name}: {error.reason}") from None
    return pa.array(rows, pa.list_(pa.struct([("source", pa.int32()), ("target", pa.int32())])))
