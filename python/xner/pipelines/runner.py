"""The local runner: a stage over a table, part by part, with progress, checkpoints and resume.

A run keeps its finished parts in a folder beside the output, `.OUTPUT.parts`. A run that was interrupted, by
Ctrl-C or by kill -9, finds them there, checks that they come from the same inputs, options and version, and goes on
with the next part; the output ends byte-identical to that of an uninterrupted run. The folder goes when the output is
in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from xner import io
from xner._support.progress import Reporter, silent
from xner.errors import DataError, Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from xner.pipelines.checkpoints import Checkpoints

__all__ = ["MODEL_PART_ROWS", "in_pieces", "run", "run_parts"]

_SCHEMA = b"xner.part"
_PART_ROWS = 100_000
MODEL_PART_ROWS = 4096
"""Rows a part for stages that run neural models: some minutes' work without a GPU."""


def run_parts(
    table: pa.Table,
    stage: Callable[[pa.RecordBatch], pa.RecordBatch],
    kept: Checkpoints,
    *,
    name: str = "part",
    report: Reporter = silent,
    what: str = "projecting",
    part_rows: int | None = None,
) -> pa.Table:
    """Run a stage over a table, part by part, and keep each part that is finished.

    Args:
        table: the input; its rows are handed to `stage` in order.
        stage: keeps every row where it is.
        kept: where finished parts are, and are looked for.
        name: of the parts' files: one for each stage of a run.
        report: told after each part how many rows are done.
        what: name of the work in reports.
        part_rows: rows a part; None for 100 000. Parts are the same whether the run was interrupted or not.

    Returns:
        The result; columns that the stage has made are memory-mapped from the parts' files.

    Raises:
        Error: whatever the stage raises, and a stage that changes the number of rows.
    """
    part_rows = part_rows or _PART_ROWS
    parts = []
    for index, first in enumerate(range(0, max(1, table.num_rows), part_rows)):
        part = f"{name}-{index:06d}.arrow"
        path = kept.find(part)
        if path is None:
            piece = table.slice(first, part_rows).combine_chunks()
            batches = piece.to_batches(max_chunksize=part_rows)
            batch = batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
            done = _located(stage, batch, first)
            if done.num_rows != batch.num_rows:
                raise Error(f"the stage made {done.num_rows} rows of {batch.num_rows}")
            with kept.writing(part) as path:
                _save_part(path, done, batch)
        parts.append(_open_part(path, table.slice(first, part_rows)))
        report(what, min(first + part_rows, table.num_rows), table.num_rows)
    return pa.concat_tables(parts)


def run(
    table: pa.Table,
    stage: Callable[[pa.RecordBatch], pa.RecordBatch],
    kept: Checkpoints,
    *,
    format: str | None = None,
    report: Reporter = silent,
    what: str = "projecting",
    part_rows: int | None = None,
    select: Callable[[pa.Table], pa.Table] | None = None,
    **writer_options: Any,
) -> pa.Table:
    """Run a stage over a table, part by part as `run_parts` does, and write the result.

    Args:
        table: the input.
        stage: keeps every row where it is.
        kept: where finished parts are; its `output` is written.
        format: of the output; None goes by its name.
        report: told after each part how many rows are done.
        what: name of the work in reports.
        part_rows: rows a part; None for 100 000.
        select: takes from the result what is written; None writes all.
        **writer_options: for the format's writer.

    Returns:
        The whole result, memory-mapped or in memory.

    Raises:
        Error: whatever the stage and the writer raise.
    """
    result = run_parts(table, stage, kept, report=report, what=what, part_rows=part_rows)
    rows, most = result if select is None else select(result), part_rows or _PART_ROWS
    with io.open_writer(kept.output, format, **writer_options) as writer:
        for first in range(0, max(1, rows.num_rows), most):
            piece = rows.slice(first, most).combine_chunks()  # so that the bytes do not depend on the input's pieces
            for batch in piece.to_batches() or [pa.RecordBatch.from_pylist([], schema=rows.schema)]:
                writer.write(batch)
    return result


def in_pieces(
    table: pa.Table, stage: Callable[[pa.Table], pa.Table], *, report: Reporter = silent, what: str = "projecting"
) -> Iterator[pa.Table]:
    """What a stage makes of a table, piece by piece, so that what it needs besides is no more than a piece needs.

    Args:
        table: the input; without rows, it is one piece.
        stage: keeps every row where it is.
        report: told after each piece how many rows are done.
        what: name of the work in reports.

    Raises:
        Error: whatever the stage raises; rows in errors are counted from the table's beginning.
    """
    for first in range(0, max(1, table.num_rows), _PART_ROWS):
        try:
            yield stage(table.slice(first, _PART_ROWS))
        except DataError as error:
            raise error.behind(first) from None
        report(what, min(first + _PART_ROWS, table.num_rows), table.num_rows)


def _located(
    stage: Callable[[pa.RecordBatch], pa.RecordBatch], batch: pa.RecordBatch, first_row: int
) -> pa.RecordBatch:
    """Call a stage and make its errors count rows from the table's beginning."""
    try:
        return stage(batch)
    except DataError as error:
        raise error.behind(first_row) from None


def _save_part(path: Path, done: pa.RecordBatch, before: pa.RecordBatch) -> None:
    """Keep what a stage has made of a part: the columns that are not what they were."""
    names = [name for name in done.schema.names if not _has(before, name, done.column(name))]
    kept = done.select(names).replace_schema_metadata({_SCHEMA: done.schema.serialize().to_pybytes()})
    with io.replacing(path) as file, pa.ipc.new_file(file, kept.schema) as writer:  # type: ignore[arg-type]  # a BinaryIO will do
        writer.write_batch(kept)


def _has(rows: pa.RecordBatch, name: str, column: pa.Array[Any]) -> bool:
    if name not in rows.schema.names:
        return False
    before = rows.column(name)
    return before.type == column.type and before.equals(column)


def _open_part(path: Path, before: pa.Table) -> pa.Table:
    """What was kept of a part, memory-mapped, with the columns that are as they were before."""
    with pa.memory_map(str(path)) as file:
        kept = pa.ipc.open_file(file).read_all()
    schema = pa.ipc.read_schema(pa.py_buffer(kept.schema.metadata[_SCHEMA]))
    columns = [(kept if name in kept.schema.names else before).column(name) for name in schema.names]
    return pa.Table.from_arrays(columns, schema=schema)
