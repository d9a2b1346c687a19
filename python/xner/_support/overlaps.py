"""Which rows of a column have entities that share words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xner._support.arrow import one_array

__all__ = ["overlapping_rows"]


def overlapping_rows(entities: pa.ChunkedArray[Any] | pa.Array[Any]) -> list[int]:
    """The rows in which some entities share words.

    Args:
        entities: list<struct<start, end, ...>>, a list a row.
    """
    column = one_array(entities)
    flat = pc.list_flatten(column)
    row = pc.list_parent_indices(column).to_numpy(zero_copy_only=False)
    start, end = (pc.struct_field(flat, name).to_numpy(zero_copy_only=False) for name in ("start", "end"))
    if not (start < end).all():  # projection says of such rows what is wrong
        sound = ~np.isin(row, row[~(start < end)])
        row, start, end = row[sound], start[sound], end[sound]
    # Entities that do not overlap, by their starts, end in order: only then does each begin where those before it end.
    # Most come in this order.
    if not ((row[1:] == row[:-1]) & (start[1:] < end[:-1])).any():
        return []
    order = np.lexsort((end, start, row))
    row, start, end = row[order], start[order], end[order]
    touching = (row[1:] == row[:-1]) & (start[1:] < end[:-1])
    return [int(one) for one in np.unique(row[1:][touching])]
