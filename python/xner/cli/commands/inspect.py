"""`xner inspect`: what a file holds, and which options read it right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from xner._support.phrases import printable
from xner.cli.options.flags import with_flags
from xner.cli.options.groups import Command, takes
from xner.cli.options.inputs import FORMAT_NAMES, existing_file_or_folder
from xner.cli.options.layouts import layout_group
from xner.io.inspection import inspect

if TYPE_CHECKING:
    from pathlib import Path

    from xner.io.layout import Layout

__all__ = ["command"]


@click.command(
    "inspect",
    cls=Command,
    epilog="\b\nExamples:\n"
    "  xner inspect NER-de-test.tsv\n"
    "  xner project --source NER-de-test.tsv --token-column 1 --label-column 2 --target en.txt -o en.conll\n"
    "      with the options that it names",
)
@click.argument("file", type=existing_file_or_folder)
@click.option(
    "--format", "format_", type=click.Choice(FORMAT_NAMES), help="Format of the file; by default its name tells."
)
@takes(layout=layout_group())
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON.")
def command(file: Path, format_: str | None, as_json: bool, layout: Layout) -> None:
    """Look at a file of sentences, or a folder of brat's documents, before it is used.

    Says what its columns hold, by which scheme it is labelled and with which classes, how long its sentences are, what
    is odd about some rows, and the options that read it right. Exit status 1 where no way to read it was found.
    """
    found = inspect(file, format_, layout)
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=2))
    else:
        click.echo(printable(with_flags(str(found))))
    if found.table is None:
        raise click.exceptions.Exit(1)
