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
    from collections.abc import Callable
    from pathlib import Path

    from xner.pipelines.checkpoints import Checkpoints

__all__ = ["MODEL_PART_ROWS", "run", "run_parts"]

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
    part_rows: int = _PART_ROWS,
) -> pa.Table:
    """Run a stage over a table, part by part, and keep each part that is finished.

    Args:
        table: the input; its rows are handed to `stage` in order.
        stage: keeps every row where it is.
        kept: where finished parts are, and are looked for.
        name: of the parts' files: one for each stage of a run.
        report: told after each part how many rows are done.
        what: name of the work in reports.
        part_rows: rows a part. Parts are the same whether the run was interrupted or not.

    Returns:
        The result, memory-mapped from the parts' files.

    Raises:
        Error: whatever the stage raises, and a stage that changes the number of rows.
    """
    parts = []
    for index, first in enumerate(range(0, max(1, table.num_rows), part_rows)):
        path = kept.path(f"{name}-{index:06d}.arrow")
        if not path.is_file():
            piece = table.slice(first, part_rows).combine_chunks()
            batches = piece.to_batches(max_chunksize=part_rows)
            batch = batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
            done = _located(stage, batch, first)
            if done.num_rows != batch.num_rows:
                raise Error(f"the stage made {done.num_rows} rows of {batch.num_rows}")
            with io.replacing(path) as file, pa.ipc.new_file(file, done.schema) as writer:  # type: ignore[arg-type]  # a BinaryIO will do
                writer.write_batch(done)
        parts.append(path)
        report(what, min(first + part_rows, table.num_rows), table.num_rows)
    return pa.concat_tables([_open_part(path) for path in parts])


def run(
    table: pa.Table,
    stage: Callable[[pa.RecordBatch], pa.RecordBatch],
    kept: Checkpoints,
    *,
    format: str | None = None,
    report: Reporter = silent,
    what: str = "projecting",
    part_rows: int = _PART_ROWS,
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
        part_rows: rows a part.
        select: takes from the result what is written; None writes all.
        **writer_options: for the format's writer.

    Returns:
        The whole result, memory-mapped or in memory.

    Raises:
        Error: whatever the stage and the writer raise.
    """
    result = run_parts(table, stage, kept, report=report, what=what, part_rows=part_rows)
    io.write(result if select is None else select(result), kept.output, format, **writer_options)
    return result


def _located(
    stage: Callable[[pa.RecordBatch], pa.RecordBatch], batch: pa.RecordBatch, first_row: int
) -> pa.RecordBatch:
    """Call a stage and make its errors count rows from the table's beginning."""
    try:
        return stage(batch)
    except DataError as error:
        raise error.behind(first_row) from None


def _open_part(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()
