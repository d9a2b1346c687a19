"""What filters did to a table, filter by filter."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner._support.arrow import frequencies

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["FilterCounts", "count", "show"]


@dataclass(frozen=True, slots=True)
class FilterCounts:
    """What a filter did.

    Attributes:
        dropped: entities that did not pass.
        adjusted: entities whose span it changed.
        rows: rows that it dropped as a whole.
        with_row: entities that passed and went with their row.
    """

    dropped: int = 0
    adjusted: int = 0
    rows: int = 0
    with_row: int = 0


def count(table: pa.Table, names: Iterable[str] = ()) -> dict[str, FilterCounts]:
    """Counts what filters did to a table, by the filter's name.

    Args:
        table: filtered or not.
        names: of filters that are to be listed first, in this order, also where they did nothing.
    """
    dropped, adjusted = (_reasons(table, name) for name in (schema.DROPPED, schema.ADJUSTED))
    statuses = frequencies(table.column(schema.STATUS)) if schema.STATUS in table.schema.names else {}
    rows, with_row = (
        {reason.removeprefix(schema.ROW_DROPPED): times for reason, times in found.items() if _is_row(reason)}
        for found in (statuses, dropped)
    )
    alone = {reason: times for reason, times in dropped.items() if not _is_row(reason)}
    known = dict.fromkeys([*names, *alone, *adjusted, *rows, *with_row])
    return {
        name: FilterCounts(alone.get(name, 0), adjusted.get(name, 0), rows.get(name, 0), with_row.get(name, 0))
        for name in known
    }


def _is_row(reason: str) -> bool:
    return reason.startswith(schema.ROW_DROPPED)


def _reasons(table: pa.Table, column: str) -> dict[str, int]:
    if column not in table.schema.names:
        return {}
    return frequencies(pc.struct_field(pc.list_flatten(table.column(column)), "reason"))


def show(counts: Mapping[str, FilterCounts]) -> str:
    """Counts as a table to print: a line a filter."""
    lines = [["filter", "entities dropped", "spans adjusted", "rows dropped", "entities lost with them"]]
    lines += [[name, *map(str, astuple(found))] for name, found in counts.items()]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))])
        for line in lines
    )
