"""`xner run`: a recipe, from data to one table of results."""

from __future__ import annotations

import textwrap
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xner._support.options import declared
from xner.cli.options.datasets import announce
from xner.cli.options.groups import Command, takes
from xner.cli.options.recipes import data_group, evaluation_group, links_group
from xner.errors import OptionError
from xner.experiments.recipes.approaches.options import ApproachOptions
from xner.experiments.recipes.data import catalogue_of
from xner.experiments.recipes.recipe import Recipe, parse_options, recipe_names
from xner.experiments.recipes.results import markdown

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["command"]


def _ways() -> Iterator[str]:
    for its in declared(ApproachOptions).values():
        text = textwrap.fill(its.help, 90, initial_indent="      ", subsequent_indent="      ")
        yield f"  {its.name}={its.kind.metavar or 'true'}\n{text}\n"


@click.command(
    "run",
    cls=Command,
    first=["output", "dry_run", "options", "variants", "dataset", "folder", "languages", "files", "seed"],
    epilog="\b\nExamples:\n"
    "  xner run politov2025/ngram --dataset europarl-ner --data ner-evaluation-corpus-europarl \\\n"
    "      --languages de,es --links 'links.{source}-{target}.pharaoh' -o runs/ngram\n"
    "  xner run politov2025/ngram --source en.conll --target '{target}.conll' --languages de --dry-run\n"
    "  xner run shkalikov2024/align --set aligner=awesome-mbert --set exact.max_words=10 --dataset uner -o runs/align\n"
    "  xner run mine.toml -o runs/mine\n"
    "      a file of tables: [data], [links], [evaluation] with the names of the options above, but folder for\n"
    "      --data, files for --links and samples for --bootstrap; [options] with those of `xner project`, and\n"
    "      [variants.NAME] with those in which a variant differs; these may have the options below as well. Paths\n"
    "      are from the file's own folder, but models that are folders from the working one\n\n"
    "\b\nWhich way labels take, in --set and in recipes:\n" + "".join(_ways()) + "\n"
    "\b\nRecipes:\n" + "".join(f"  {name}\n" for name in recipe_names()) + "\n"
    "\b\nA run that was killed goes on where it stopped when the same command is given again; what is done already is\n"
    "not done anew as long as options, sentences, links and models are the same.",
)
@click.argument("recipe")
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the run: the recipe as it ran, versions, a log, an output a language and variant, results.*.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Show the plan: data, stages, options, signatures, what models get.",
)
@click.option(
    "--set",
    "options",
    metavar="[VARIANT.]NAME=VALUE",
    multiple=True,
    help="An option of `xner project`, for all variants or for one. May be given several times.",
)
@click.option("--variant", "variants", multiple=True, help="Run this variant alone. May be given several times.")
@click.option("--resume/--no-resume", default=True, show_default=True, help="Take what the folder has of the same run.")
@click.option(
    "--steps",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for links, tags and translations that other runs share.  [default: a folder of the run's]",
)
@click.option("--overwrite", is_flag=True, help="Use a folder that has the run of another recipe, or other files.")
@click.option("--yes", is_flag=True, help="Load from the hub without a question, the licence being known.")
@takes(data=data_group, links=links_group, evaluation=evaluation_group)
def command(
    recipe: str,
    output: Path | None,
    dry_run: bool,
    options: tuple[str, ...],
    variants: tuple[str, ...],
    resume: bool,
    steps: Path | None,
    overwrite: bool,
    yes: bool,
    data: dict[str, Any],
    links: dict[str, Any],
    evaluation: dict[str, Any],
) -> None:
    """Run RECIPE: label every language by every variant, and score what has gold labels.

    RECIPE is a name of those below, or a TOML file. What is given beside it takes the place of what it says.
    """
    if output is None and not dry_run:
        raise click.UsageError("--output is missing: the folder of the run; or --dry-run, to see the plan")
    try:
        chosen = Recipe.read(recipe).changed(
            data=data, links=links, evaluation=evaluation, options=parse_options(options), variants=variants
        )
        plan = chosen.plan()
        if output is None or dry_run:
            click.echo(str(plan))
            return
        if chosen.data.dataset is not None:
            announce(chosen.data.dataset, catalogue_of(chosen.data), chosen.data.folder, yes=yes)
        run = chosen.run(output, resume=resume, overwrite=overwrite, steps=steps, told=partial(click.echo, err=True))
    except OptionError as error:
        raise click.UsageError(str(error)) from None
    click.echo(markdown(run.results, by_class=False), nl=False)
