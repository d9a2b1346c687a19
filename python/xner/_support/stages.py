"""What every stage does with what it is handed: tables batch by batch, and errors that name the row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner.errors import DataError, Error

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["merge_status", "run_stage"]


def run_stage(
    stage: Callable[[pa.RecordBatch], pa.RecordBatch], batch: pa.RecordBatch | pa.Table
) -> pa.RecordBatch | pa.Table:
    """Call a stage on a record batch, or on every batch of a table.

    Args:
        stage: keeps every row where it is.
        batch: a table without batches is handed on as one batch without rows.

    Returns:
        The same kind of object.

    Raises:
        DataError: the stage's, with the row counted from the table's first one, and its `id` where there is one.
        Error: neither a record batch nor a table.
    """
    if isinstance(batch, pa.RecordBatch):
        return _located(stage, batch, 0)
    if not isinstance(batch, pa.Table):
        raise Error(f"expected a pyarrow RecordBatch or Table, found {type(batch).__name__}")
    pieces = batch.to_batches() or [pa.RecordBatch.from_pylist([], schema=batch.schema)]
    done = []
    first_row = 0
    for piece in pieces:
        done.append(_located(stage, piece, first_row))
        first_row += piece.num_rows
    return pa.Table.from_batches(done)


def _located(
    stage: Callable[[pa.RecordBatch], pa.RecordBatch], batch: pa.RecordBatch, first_row: int
) -> pa.RecordBatch:
    try:
        return stage(batch)
    except DataError as error:
        has_id = error.row >= 0 and schema.ID in batch.schema.names
        raise error.behind(first_row, row_id=batch.column(schema.ID)[error.row].as_py() if has_id else None) from None


def merge_status(before: pa.Array, after: pa.Array, outdated: pa.Array) -> pa.Array:
    """What is to be said of rows after a stage: its own word, or where that is `ok` what an earlier stage said.

    Args:
        before: the statuses that the batch brings along.
        after: the stage's.
        outdated: for each row whether the stage takes back what was said before.

    Returns:
        Strings.
    """
    before, after = before.cast(pa.string()), after.cast(pa.string())
    stands = pc.and_(pc.is_valid(before), pc.invert(outdated))
    return pc.if_else(pc.and_(pc.equal(after, "ok"), stands), before, after)
