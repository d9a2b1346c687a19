"""The filters of the command line: their options and help, which rows are written, and what is said at the end."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

import click
import pyarrow.compute as pc

from xner import filters, io, schema
from xner.cli.options.decorators import with_options
from xner.errors import Error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa

__all__ = [
    "FILTERS_HELP",
    "filter_options",
    "report_dropped_rows",
    "report_filters",
    "take_filters",
    "without_dropped_rows",
]

F = TypeVar("F", bound="Callable[..., Any]")


def _described(kind: type[Any]) -> str:
    """A filter's form, and below it the first sentence of its documentation."""
    summary = (inspect.getdoc(kind) or "").partition("\n")[0]
    return f"  {filters.usage(kind)}\n      {summary}\n"


FILTERS_HELP = "\b\nFilters; what stands in [ ] may be left out, with the value shown:\n" + "".join(
    map(_described, filters.FILTERS.values())
)

_OPTIONS = [
    click.option(
        "--filter",
        "filters",
        metavar="NAME[=VALUE][,OPTION=VALUE...][:row]",
        multiple=True,
        help="Drop projected entities, or change their spans; see Filters below. May be given several times: each sees "
        "what those before it left. With :row, the whole row goes where an entity does not pass.",
    ),
    click.option(
        "--drop-rows",
        is_flag=True,
        help="As if every filter ended in :row. Rows that go are left out of CoNLL, JSONL and text; Parquet and Arrow "
        "keep them without entities and say why.",
    ),
]


def filter_options(command: F) -> F:
    """Add `--filter` and `--drop-rows` to a command; `take_filters` makes filters of their values."""
    return with_options(_OPTIONS, command)


def take_filters(values: dict[str, Any]) -> filters.Filters | None:
    """Take the filters' options out of a command's values; None without filters.

    Raises:
        click.UsageError: a filter that there is not, or not so, or `--drop-rows` alone.
    """
    texts, drop_rows = values.pop("filters"), values.pop("drop_rows")
    if not texts:
        if drop_rows:
            raise click.UsageError("--drop-rows says what --filter does, and there is none")
        return None
    try:
        return filters.Filters(texts, drop="row" if drop_rows else "entity")
    except Error as error:
        raise click.UsageError(str(error)) from None


def without_dropped_rows(table: pa.Table, output: Path, format: str | None) -> pa.Table:
    """What is to be written: formats of text are read as training data and so lack the rows that filters dropped."""
    dropped = schema.is_row_dropped(table.column(schema.STATUS))
    if not _is_text(output, format) or not pc.any(dropped).as_py():
        return table
    return table.filter(pc.invert(dropped))


def report_filters(table: pa.Table, applied: filters.Filters, output: Path, format: str | None) -> None:
    """Say what filters did, and how many rows the output lacks for it."""
    click.echo(filters.show(filters.count(table, [one.name for one in applied.filters])), err=True)
    report_dropped_rows(table, output, format)


def report_dropped_rows(table: pa.Table, output: Path, format: str | None) -> None:
    """Say how many rows a file of text lacks because they were dropped."""
    rows = pc.sum(schema.is_row_dropped(table.column(schema.STATUS))).as_py() or 0
    if rows and _is_text(output, format):
        click.echo(f"{rows} of {table.num_rows} rows left out of {output}", err=True)


def _is_text(output: Path, format: str | None) -> bool:
    return io.FORMATS[io.format_of(output, format)].is_text
