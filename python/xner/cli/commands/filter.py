"""`xner filter`: filters over what is projected already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from xner import io
from xner.cli.options.filters import FILTERS_HELP, filter_options, report_filters, take_filters, without_dropped_rows
from xner.cli.options.inputs import FORMAT_NAMES, existing_file, output_file

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command(
    "filter",
    epilog="\b\nExamples:\n"
    "  xner filter de.parquet --filter length-ratio --filter min-margin=0.1 -o filtered.parquet\n"
    "  xner filter de.parquet --filter source-coverage:row --filter class-counts:row -o train.conll\n\n" + FILTERS_HELP,
)
@click.argument("table", type=existing_file)
@click.option("--output", "-o", type=output_file, required=True, help="The filtered sentences.")
@filter_options
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMAT_NAMES),
    help="Format of the output; by default its name tells.",
)
@click.option("--table-format", type=click.Choice(FORMAT_NAMES), help="Format of the table, likewise.")
def command(table: Path, output: Path, format_: str | None, table_format: str | None, **options: Any) -> None:
    """Filter entities that are projected already, so that filters can be tried without projecting again.

    TABLE is what `xner project --format parquet` (or arrow, jsonl) wrote. Counts are of all filters
    that it went through, earlier ones as well.
    """
    filters = take_filters(options)
    if filters is None:
        raise click.UsageError("name a filter with --filter")
    io.format_of(output, format_)
    result = filters(io.read(table, table_format))
    io.write(without_dropped_rows(result, output, format_), output, format_)
    report_filters(result, filters, output, format_)
    click.echo(f"written to {output}", err=True)
    click.echo(filters.signature, err=True)
