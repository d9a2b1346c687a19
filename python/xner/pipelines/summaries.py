"""What there is to say of rows at the end of a run, and which of them files of text hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from xner import io, schema
from xner._support.arrow import frequencies

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["dropped_lines", "is_training_data", "status_lines", "without_dropped_rows"]

_SHOWN = 5  # rows that are named for each status


def status_lines(
    statuses: pa.Array[Any] | pa.ChunkedArray[Any], meanings: Mapping[str, str], what: str = "sentences"
) -> Iterator[str]:
    """Counts of statuses, and the rows of those other than `ok`.

    Args:
        statuses: strings, one a row.
        meanings: what they say, of those that have something to say.
        what: has them.
    """
    counts = frequencies(statuses)
    shown = ", ".join(f"{count} {status}" for status, count in counts.items())
    yield f"{len(statuses)} {what}: {shown or 'none'}"
    texts = statuses.cast(pa.string())
    for status in counts:
        if status != "ok":
            places = pc.indices_nonzero(pc.equal(texts, pa.scalar(status)))[: _SHOWN + 1].to_pylist()
            rows = ", ".join(map(str, places[:_SHOWN])) + (", ..." if len(places) > _SHOWN else "")
            yield f"  {status}: {meanings.get(status, 'from an earlier stage')}; rows {rows}"


def is_training_data(output: Path, format: str | None) -> bool:
    """Whether a file is read as training data by people and programs, so that it holds good rows alone."""
    return io.FORMATS[io.format_of(output, format)].holds_good_rows_alone


def without_dropped_rows(table: pa.Table, output: Path, format: str | None) -> pa.Table:
    """What is to be written: files of text lack the rows that filters dropped, tables keep them."""
    dropped = schema.is_row_dropped(table.column(schema.STATUS))
    if not is_training_data(output, format) or not pc.any(dropped).as_py():
        return table
    return table.filter(pc.invert(dropped))


def dropped_lines(table: pa.Table, output: Path, format: str | None) -> Iterator[str]:
    """How many rows a file of text lacks because they were dropped, where there are some."""
    rows = pc.sum(schema.is_row_dropped(table.column(schema.STATUS))).as_py() or 0
    if rows and is_training_data(output, format):
        yield f"{rows} of {table.num_rows} rows left out of {output}"
