"""`xner report`: results of runs as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from xner.cli.guards import keep_track, refuse_overwriting
from xner.cli.options.flags import given_command
from xner.cli.options.groups import Command, takes
from xner.cli.options.inputs import output_file
from xner.cli.options.recipes import resamples_group
from xner.experiments.recipes.running import RECIPE
from xner.experiments.reports import make_report, write_report
from xner.experiments.reports.findings import findings
from xner.experiments.reports.page import files_of

__all__ = ["command"]


@click.command(
    "report",
    cls=Command,
    epilog="\b\nExamples:\n"
    "  xner report runs/ngram -o report.html                            the variants of one run\n"
    "  xner report runs/ngram runs/heuristic -o report.html             several runs of the same data\n"
    "  xner report runs/* -o report.html --tables tables                with tables and plots as files\n"
    "  xner report runs/* -o report.html --bootstrap 10000 --seed 7     finer p-values of differences\n\n"
    "\b\nOn the page: F1 by method and language, precision and recall with intervals, by class as well; what F1 a\n"
    "perfect projection would reach; paired differences with p-values by Holm; errors by cause; seconds by stage;\n"
    "what would be chosen without gold labels, and what that costs; published figures of the same data set,\n"
    "language and method.\n\n"
    "\b\nRuns that have a data set and a language in common must have the same sentences and gold labels of it. Where\n"
    "F1 is missing there are no gold labels. CSV and Parquet have all digits; plots are SVG.",
)
@click.argument(
    "runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--output", "-o", type=output_file, required=True, help="The page, one HTML file that needs no network.")
@click.option(
    "--tables",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for the tables (CSV, Parquet, Markdown) and the plots (SVG) of the page.",
)
@takes(how=resamples_group)
def command(runs: tuple[Path, ...], output: Path, tables: Path | None, how: dict[str, Any]) -> None:
    """Make a page of the results of runs, which `xner run` has made: tables, plots, comparisons.

    RUN is a run's folder. Everything is computed from its files; nothing is projected anew.
    """
    if tables is not None and (tables / RECIPE).is_file():
        raise click.UsageError(f"--tables {tables}: this is the folder of a run, which has results of its own there")
    report = make_report(runs, **how)
    if tables is not None:
        overwrite = bool(click.get_current_context().params["overwrite"])
        refuse_overwriting("--tables", files_of(report, tables), overwrite=overwrite)
    written = write_report(report, output, tables=tables, command=given_command())
    keep_track(written[1:])
    for told in findings(report):
        click.echo(told)
    click.echo(f"written to {output}{'' if tables is None else f', tables and plots to {tables}'}", err=True)
