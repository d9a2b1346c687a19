"""What a stage is, and what all do with what they are handed: tables batch by batch, errors that name the row."""

from __future__ import annotations

import hashlib
import json
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, cast

import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner._support.frames import open_rows
from xner._support.progress import Reporter, silent
from xner._version import __version__
from xner.errors import DataError, Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from xner._support.arrow import Rows

__all__ = ["Stage", "identity_of", "merge_status", "run_stage", "status_column"]


class Stage(Protocol):
    """Adds columns to record batches and tables; every row stays where it is.

    Stages pickle, as what they were made of: models as what loads them. So they work in other processes, as those of
    `concurrent.futures` and `datasets`, and what they compute there is the same.
    """

    @property
    def signature(self) -> str:
        """One line for tables and papers: the version, the method, and every option."""

    @property
    def identity(self) -> str:
        """Tells what decides the output, all options and the content of models, from all others."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that it needs."""

    @property
    def writes(self) -> tuple[str, ...]:
        """The columns that it makes, in place of those that may be there."""

    def __call__(self, rows: Rows, *, progress: Reporter = silent) -> Rows:
        """Add the columns.

        Args:
            rows: a record batch or table, or a table of another kind: a DataFrame of pandas or polars, a
                `datasets.Dataset`, a `RecordBatchReader`.
            progress: told how far the work has come.

        Returns:
            The same kind of object.

        Raises:
            DataError: a row is wrong; the message names it.
            Error: a column is missing or of another type.
        """


def identity_of(what: str, *decides: object) -> str:
    """An identity that depends on all that is given, and on the version.

    Args:
        what: it is: "aligner".
        *decides: what decides the output; JSON-serialisable.
    """
    text = json.dumps([__version__, what, *decides], sort_keys=True)
    return f"{what}:{hashlib.sha256(text.encode()).hexdigest()}"


def run_stage(
    stage: Callable[[pa.RecordBatch], pa.RecordBatch],
    rows: Rows,
    *,
    progress: Reporter = silent,
    what: str = "rows",
) -> Rows:
    """Call a stage on a record batch, or on every batch of a table of any kind.

    Args:
        stage: keeps every row where it is.
        rows: see `xner._support.frames.TableLike`. A table without batches is handed on as one batch without rows; a
            `RecordBatchReader` is read as the one that comes of it is.
        progress: told after each batch how many rows are done; for stages that have nothing more to tell.
        what: name of the work in reports.

    Returns:
        The same kind of object.

    Raises:
        DataError: the stage's, with the row counted from the table's first one, and its `id` where there is one.
        Error: no table.
    """
    if isinstance(rows, pa.RecordBatch):
        done = _located(stage, rows, 0)
        progress(what, rows.num_rows, rows.num_rows)
        return cast("Rows", done)
    if isinstance(rows, pa.RecordBatchReader):
        return cast("Rows", _run_on_stream(stage, rows, progress, what))
    opened = open_rows(rows)
    return cast("Rows", opened.close(_run_on_table(stage, opened.table, progress, what)))


def _run_on_table(
    stage: Callable[[pa.RecordBatch], pa.RecordBatch], table: pa.Table, progress: Reporter, what: str
) -> pa.Table:
    made = []
    first_row = 0
    for piece in table.to_batches() or [_no_rows(table.schema)]:
        made.append(_located(stage, piece, first_row))
        first_row += piece.num_rows
        progress(what, first_row, table.num_rows)
    return pa.Table.from_batches(made)


def _run_on_stream(
    stage: Callable[[pa.RecordBatch], pa.RecordBatch], rows: pa.RecordBatchReader, progress: Reporter, what: str
) -> pa.RecordBatchReader:
    """Batches are read, and results made, when they are asked for; the first ones tell which columns there are."""

    def made() -> Iterator[pa.RecordBatch]:
        done = 0
        for piece in rows:
            yield _located(stage, piece, done)
            done += piece.num_rows
            progress(what, done, done)

    results = made()
    first = next(results, None)
    if first is None:
        first = _located(stage, _no_rows(rows.schema), 0)
    return pa.RecordBatchReader.from_batches(first.schema, chain([first], results))


def _no_rows(columns: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=columns)


def _located(
    stage: Callable[[pa.RecordBatch], pa.RecordBatch], batch: pa.RecordBatch, first_row: int
) -> pa.RecordBatch:
    try:
        return stage(batch)
    except DataError as error:
        raise error.behind(first_row, row_id=_id_of(batch, error.row)) from None


def _id_of(batch: pa.RecordBatch, row: int) -> str | None:
    """A row's `id` as text; None where there is none, or the column is damaged."""
    if row < 0 or schema.ID not in batch.schema.names:
        return None
    try:
        found = schema.conform_column(batch.column(schema.ID).slice(row, 1), schema.ID)[0].as_py()
    except Error:
        return None
    return None if found is None else str(found)


def _texts(status: pa.Array[Any]) -> pa.Array[Any]:
    """A column of statuses as strings."""
    found: pa.Array[Any] = schema.conform_column(status, schema.STATUS).cast(pa.string())
    return found


def merge_status(before: pa.Array[Any], after: pa.Array[Any], outdated: pa.Array[Any]) -> pa.Array[Any]:
    """What is to be said of rows after a stage: its own word, or where that is `ok` what an earlier stage said.

    Args:
        before: the statuses that the batch brings along.
        after: the stage's.
        outdated: for each row whether the stage takes back what was said before.

    Returns:
        Strings.
    """
    before, after = _texts(before), _texts(after)
    stands = pc.and_(pc.is_valid(before), pc.invert(outdated))
    merged: pa.Array[Any] = pc.if_else(pc.and_(pc.equal(after, pa.scalar("ok")), stands), before, after)
    return merged


def status_column(batch: pa.RecordBatch, status: pa.Array[Any], own: Iterable[str]) -> pa.Array[Any]:
    """The column `status` after a stage: see `merge_status`.

    Args:
        batch: with the statuses of earlier stages, or none.
        status: the stage's.
        own: all that the stage can say: it takes back what it has said of a row before.

    Returns:
        As `schema.STATUS_TYPE`.
    """
    if schema.STATUS in batch.schema.names:
        before = _texts(batch.column(schema.STATUS))
        status = merge_status(before, status, pc.is_in(before, value_set=pa.array(list(own))))
    return status.cast(pa.string()).dictionary_encode().cast(schema.STATUS_TYPE)
