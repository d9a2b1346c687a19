"""`xner view`: look at projections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xner import viewer
from xner.cli.options.groups import Command, takes
from xner.cli.options.inputs import FORMAT_NAMES, OutputFile, existing_file
from xner.cli.options.layouts import layout_group
from xner.io.layout import require_words

if TYPE_CHECKING:
    from pathlib import Path

    from xner.io.layout import Layout

__all__ = ["command"]


@click.command(
    "view",
    cls=Command,
    epilog="\b\nExamples:\n  xner view de.parquet -o view.html\n  xner view de.parquet --open-row 17 -o view.html",
)
@click.argument("table", type=existing_file)
@click.option(
    "--output",
    "-o",
    type=OutputFile(takes_format=False),
    required=True,
    help="The page, one HTML file that needs no network.",
)
@click.option("--open-row", type=click.IntRange(0), default=0, show_default=True, help="Row to show first, from 0.")
@click.option("--title", help="The page's title; by default the file's name.")
@click.option(
    "--max-rows",
    type=click.IntRange(1),
    default=5000,
    show_default=True,
    help="Rows to put on the page, around the opened one.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMAT_NAMES),
    help="Format of the table; by default its name tells.",
)
@takes(layout=layout_group())
def command(
    table: Path,
    output: Path,
    open_row: int,
    title: str | None,
    max_rows: int,
    format_: str | None,
    layout: Layout,
) -> None:
    """Make a page that shows sentences, word links, entity spans and scores.

    TABLE is what `xner project --format parquet` wrote; CoNLL columns work too, with labels alone.
    """
    rows = layout.read_tagged(table, format_)
    require_words(rows, table)
    viewer.view(rows, output, open_row=open_row, title=title or table.name, max_rows=max_rows)
    click.echo(f"written to {output}", err=True)
