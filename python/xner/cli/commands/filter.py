"""`xner filter`: filters over what is projected already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xner import io
from xner.cli.options.filters import FILTERS_HELP, filters_group
from xner.cli.options.groups import Command, takes
from xner.cli.options.inputs import FORMAT_NAMES, existing_file, output_file
from xner.cli.options.layouts import layout_group
from xner.filters.summary import count, show
from xner.pipelines.summaries import dropped_lines, without_dropped_rows

if TYPE_CHECKING:
    from pathlib import Path

    from xner.filters.stage import Filters
    from xner.io.layout import Layout

__all__ = ["command"]


@click.command(
    "filter",
    cls=Command,
    epilog="\b\nExamples:\n"
    "  xner filter de.parquet --filter length-ratio --filter min-margin=0.1 -o filtered.parquet\n"
    "  xner filter de.parquet --filter source-coverage:row --filter class-counts:row -o train.conll\n\n" + FILTERS_HELP,
)
@click.argument("table", type=existing_file)
@click.option("--output", "-o", type=output_file, required=True, help="The filtered sentences.")
@takes(filters=filters_group, layout=layout_group())
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMAT_NAMES),
    help="Format of the output; by default its name tells.",
)
@click.option("--table-format", type=click.Choice(FORMAT_NAMES), help="Format of the table, likewise.")
def command(
    table: Path,
    output: Path,
    format_: str | None,
    table_format: str | None,
    filters: Filters | None,
    layout: Layout,
) -> None:
    """Filter entities that are projected already, so that filters can be tried without projecting again.

    TABLE is what `xner project --format parquet` (or arrow, jsonl) wrote. Counts are of all filters
    that it went through, earlier ones as well.
    """
    if filters is None:
        raise click.UsageError("name a filter with --filter")
    io.format_of(output, format_)
    if layout.class_map:
        raise click.UsageError(
            "--class-map and --ignore-class go with commands that read labels; a filter keeps classes"
        )
    result = filters(layout.read(table, table_format))
    io.write(without_dropped_rows(result, output, format_), output, format_)
    click.echo(show(count(result, [one.name for one in filters.filters])), err=True)
    for line in dropped_lines(result, output, format_):
        click.echo(line, err=True)
    click.echo(f"written to {output}", err=True)
    click.echo(filters.signature, err=True)
