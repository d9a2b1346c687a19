"""`xner runs`: runs of recipes, listed and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from xner._support.tables import text_table
from xner.cli.options.groups import Command, takes
from xner.cli.options.recipes import resamples_group
from xner.experiments.recipes.runs import compare_runs, list_runs

__all__ = ["command"]

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(
    "runs",
    epilog="\b\nExamples:\n  xner runs list runs\n  xner runs compare runs/ngram runs/heuristic",
)
def command() -> None:
    """Runs of recipes, which `xner run` has made: which there are, and how they compare."""


@command.command("list", cls=Command)
@click.argument("folder", type=_FOLDER)
def list_(folder: Path) -> None:
    """List the runs in FOLDER and in folders of it."""
    found = list_runs(folder)
    if not found:
        click.echo(f"there are no runs in '{folder}'", err=True)
        return
    rows = [["run", "recipe", "data set", "languages", "variants"]]
    rows += [
        [
            str(one.folder),
            one.recipe,
            ", ".join(one.datasets) if one.is_finished else "cannot be read" if one.problem else "not finished",
            ", ".join(one.languages),
            ", ".join(one.variants),
        ]
        for one in found
    ]
    click.echo(text_table(rows))
    for one in found:
        if one.problem:
            click.echo(one.problem, err=True)


@command.command("compare", cls=Command)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=_FOLDER)
@takes(how=resamples_group)
def compare(runs: tuple[Path, ...], how: dict[str, Any]) -> None:
    """Show runs side by side, and how they differ from the first variant of the first RUN.

    Differences come with an interval and a p-value by paired bootstrap, where the same sentences were scored against
    the same gold labels.
    """
    click.echo(str(compare_runs(runs, **how)))
