"""What there is to say of rows at the end of a run, and which of them files of text hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from xner import io, schema
from xner._support.arrow import by_frequency, occurrences
from xner._support.phrases import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = [
    "StatusCounts",
    "add_counts",
    "dropped_rows",
    "is_training_data",
    "left_out_lines",
    "overlap_lines",
    "status_lines",
    "without_dropped_rows",
]

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
    yield from StatusCounts.of(statuses).lines(meanings, what)


@dataclass(slots=True)
class StatusCounts:
    """How many rows have which status, and the first ones of each.

    Attributes:
        rows: how many there are, those without a status included.
        counts: by status, in the order of their first occurrences.
        first: by status other than `ok`, the first rows, one more than is shown.
    """

    rows: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, statuses: pa.Array[Any] | pa.ChunkedArray[Any]) -> Self:
        """Those of a column of strings."""
        texts = statuses.cast(pa.string())
        counts = occurrences(texts)
        found = {one: pc.indices_nonzero(pc.equal(texts, pa.scalar(one))) for one in counts if one != "ok"}
        first: Any = {one: places[: _SHOWN + 1].to_pylist() for one, places in found.items()}
        return cls(len(statuses), counts, first)

    def add(self, other: StatusCounts) -> None:
        """Add those of the rows that follow."""
        for status, rows in other.first.items():
            known = self.first.setdefault(status, [])
            known += [self.rows + row for row in rows][: _SHOWN + 1 - len(known)]
        add_counts(self.counts, other.counts)
        self.rows += other.rows

    def lines(self, meanings: Mapping[str, str], what: str) -> Iterator[str]:
        """See `status_lines`."""
        counts = by_frequency(self.counts)
        shown = ", ".join(f"{count} {status}" for status, count in counts.items())
        yield f"{self.rows} {what}: {shown or 'none'}"
        for status in counts:
            if status != "ok":
                places = self.first[status]
                rows = ", ".join(map(str, places[:_SHOWN])) + (", ..." if len(places) > _SHOWN else "")
                yield f"  {status}: {meanings.get(status, 'from an earlier stage')}; rows {rows}"


def add_counts(counts: dict[str, int], others: Mapping[str, int]) -> None:
    """Add counts to those that there are."""
    for name, count in others.items():
        counts[name] = counts.get(name, 0) + count


def is_training_data(output: Path, format: str | None) -> bool:
    """Whether a file is read as training data by people and programs, so that it holds good rows alone."""
    return io.FORMATS[io.format_of(output, format)].holds_good_rows_alone


def without_dropped_rows(table: pa.Table, output: Path, format: str | None) -> pa.Table:
    """What is to be written: files of text lack the rows of `schema.is_left_out`, tables keep them."""
    dropped = schema.is_left_out(table)
    if not is_training_data(output, format) or not pc.any(dropped).as_py():
        return table
    return table.filter(pc.invert(dropped))


def dropped_rows(table: pa.Table) -> int:
    """How many rows files of text lack, see `schema.is_left_out`."""
    return pc.sum(schema.is_left_out(table)).as_py() or 0


def overlap_lines(rows: int, output: Path | None, format: str | None, *, what: str = "entities") -> Iterator[str]:
    """In how many rows entities share words, where there are some, and what a file of labels has of them."""
    if rows:
        kept = ""
        if output is not None and io.format_of(output, format) in {"conll", "text"}:
            kept = f"; '{output}' has the longer ones alone; Parquet, Arrow and JSONL hold all"
        yield f"{what} share words in {number_of(rows, 'row')}{kept}"


def left_out_lines(dropped: int, rows: int, output: Path, format: str | None) -> Iterator[str]:
    """How many of so many rows a file of text lacks, where there are some."""
    if dropped and is_training_data(output, format):
        yield f"{dropped} of {rows} rows left out of {output}"
