"""`xner filter`: filters over what is projected already."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from xner import io
from xner.cli.options.filters import FILTERS_HELP, filters_group
from xner.cli.options.groups import Command, takes
from xner.cli.options.inputs import FORMAT_NAMES, OUTPUT_FORMAT_HELP, existing_file, output_file
from xner.cli.options.layouts import layout_group
from xner.filters.summary import show
from xner.pipelines import runner
from xner.pipelines.checkpoints import checkpoints
from xner.pipelines.counts import RunCounts
from xner.pipelines.identity import fingerprint
from xner.pipelines.progress import progress_reporter
from xner.pipelines.summaries import left_out_lines, without_dropped_rows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pyarrow as pa

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
@takes(filters=filters_group, layout=layout_group(classes=False))
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMAT_NAMES),
    help=OUTPUT_FORMAT_HELP,
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
    names = [one.name for one in filters.filters]
    options = {"filters": filters.identity, "layout": repr(layout), "formats": [table_format, format_]}

    def run(pieces: Iterable[pa.Table], is_whole: bool) -> RunCounts:
        key = fingerprint({"table": table}, {**options, "whole": is_whole})
        with checkpoints(output, key) as kept, progress_reporter() as report:
            return runner.run_pieces(
                pieces,
                filters,
                kept,
                format=format_,
                report=report,
                what="filter",
                select=lambda rows: without_dropped_rows(rows, output, format_),
                count=lambda rows: RunCounts.of(rows, names),
                counts=RunCounts(),
            )

    pieces = partial(layout.pieces, table, table_format) if layout.reads_pieces(table, table_format) else None
    counts = runner.run_read(pieces, partial(layout.read, table, table_format), run)
    click.echo(show(counts.filters), err=True)
    for line in left_out_lines(counts.dropped, counts.rows, output, format_):
        click.echo(line, err=True)
    click.echo(f"written to {output}", err=True)
    click.echo(filters.signature, err=True)
