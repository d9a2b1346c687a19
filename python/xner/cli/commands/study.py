"""`xner study`: what a choice of method does, measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xner import schema, viewer
from xner.alignment.aligner import Aligner
from xner.cli.commands import study_shift
from xner.cli.options.flags import given_command
from xner.cli.options.groups import Command, Group, GroupedOption, takes
from xner.cli.options.inputs import existing_file, side_format_options
from xner.cli.options.layouts import layout_group
from xner.cli.options.methods import FIRST, ChosenMethods, methods_group
from xner.cli.options.taggers import classes_group
from xner.cli.options.training import settings_group, show_moment
from xner.errors import Error
from xner.experiments.extrinsic import report as extrinsic_report
from xner.experiments.extrinsic.report import write_extrinsic_report
from xner.experiments.extrinsic.study import study_extrinsic
from xner.experiments.matching import report as matching_report
from xner.experiments.matching.problems import Size
from xner.experiments.matching.report import write_matching_report
from xner.experiments.matching.study import MatchingOptions, study_matching
from xner.io.sides import read_links, read_pairs
from xner.pipelines.progress import progress_reporter
from xner.projection.matching.constraints import MATCHERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from xner.io.layout import Layout
    from xner.training.settings import TrainingSettings

__all__ = ["command"]

_RELATIONS = ("<=", ">=", "=", "<", ">")


@click.group("study")
def command() -> None:
    """Measure what a choice of method does: tables, plots and a page to look at."""


def _constraint(
    context: click.Context, parameter: click.Parameter, values: Sequence[str]
) -> tuple[tuple[str, int], ...]:
    result = []
    for value in values:
        relation = next((r for r in _RELATIONS if value.startswith(r)), None)
        number = value.removeprefix(relation or "").strip()
        if relation is None or not number.isdecimal():
            raise click.BadParameter(f"{value!r}: expected a relation and a number, as '<=1' or '=2'")
        result.append((relation, int(number)))
    return tuple(result)


def _sizes(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> tuple[Size, ...]:
    try:
        return tuple(Size.parse(value) for value in values)
    except Error as error:
        raise click.BadParameter(str(error)) from None


_MATCHING = Group(
    [
        GroupedOption(
            ["--synthetic", "sizes"],
            metavar="WORDSxENTITIESxCANDIDATES",
            multiple=True,
            callback=_sizes,
            help="Made-up problems of a size, as 25x5x40: words, entities, candidates of each. Beside corpora, or "
            "alone.",
            title="Problems",
        ),
        GroupedOption(
            ["--score", "scores"],
            metavar="NAME|NAME=WEIGHT,...",
            multiple=True,
            default=["links"],
            show_default=True,
            help="links, words or weighted: the alignment score, by what it counts; or a sum of scores as for "
            "`xner project`: align_characters, align=1,hints=0.5, ... whose columns the target file has.",
            title="Problems",
        ),
        GroupedOption(
            ["--constraint", "constraints"],
            multiple=True,
            default=["<=1"],
            show_default=True,
            callback=_constraint,
            help="Projections of an entity, as '<=1', '=1', '>=1', '<2', '>0'.",
            title="Problems",
        ),
        GroupedOption(
            ["--matcher", "matchers"],
            type=click.Choice(list(MATCHERS)),
            multiple=True,
            default=["exact", "greedy"],
            show_default=True,
            help="The first one is what the others are held against.",
            title="Matchers",
        ),
        GroupedOption(
            ["--candidates"],
            type=click.Choice(["ngram", "aligned_ends"]),
            default="ngram",
            show_default=True,
            help="Target spans to choose from.",
            title="Problems",
        ),
        GroupedOption(
            ["--min-words"],
            type=click.IntRange(1),
            default=1,
            show_default=True,
            help="Shortest candidate.",
            title="Problems",
        ),
        GroupedOption(
            ["--max-words"], type=click.IntRange(1), help="Longest candidate; no limit by default.", title="Problems"
        ),
        GroupedOption(
            ["--time-limit"],
            type=click.FloatRange(0, min_open=True),
            help="Seconds a sentence; none by default.",
            title="Matchers",
        ),
        GroupedOption(
            ["--growth/--no-growth"],
            default=True,
            show_default=True,
            help="Measure time against size, too.",
            title="Matchers",
        ),
    ],
    MatchingOptions,
)


@command.command(
    "matching",
    cls=Command,
    first=["source", "targets", "links", "output", "sizes"],
    epilog="\b\nExamples:\n"
    "  xner study matching --source en.conll --target de.conll -o study\n"
    "      aligns with the built-in aligner; labels of the target count as gold\n"
    "  xner study matching --source en.conll --target de.conll --target es.conll \\\n"
    "      --links de.pharaoh --links es.pharaoh --constraint '<=1' --constraint '=1' \\\n"
    "      --matcher exact --matcher greedy --matcher ortools -o study\n"
    "  xner study matching --synthetic 25x5x40 --synthetic 100x20x40 -o study\n"
    "      problems that are made up, two hundred of each size",
)
@click.option("--source", type=existing_file, help="Labelled sentences.")
@click.option(
    "--target",
    "targets",
    type=existing_file,
    multiple=True,
    help="Their translations, row by row; labels there count as gold. Several times: several corpora.",
)
@click.option(
    "--links",
    type=existing_file,
    multiple=True,
    help="Word links, one file for each target; without, the built-in aligner is fitted on the pairs.",
)
@side_format_options
@click.option(
    "--output", "-o", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for what is found."
)
@takes(options=_MATCHING, layout=layout_group(two_sides=True))
def matching(
    source: Path | None,
    targets: Sequence[Path],
    links: Sequence[Path],
    source_format: str | None,
    target_format: str | None,
    output: Path,
    options: MatchingOptions,
    layout: Layout,
) -> None:
    """Greedy against exact matching: objectives, labels, F1 and time.

    Solves the same problems by several matchers. Writes a summary (Markdown, CSV, Parquet), plots, one page that says
    first what was found, and another one of the sentences where the matchers differ most, each with its links, scores
    and margins.
    """
    if (source is None) != (not targets) or not (targets or options.sizes):
        raise click.UsageError("expected --source and --target, or --synthetic, or all of them")
    if links and len(links) != len(targets):
        raise click.UsageError(f"{len(links)} files of links for {len(targets)} targets: one for each, or none")
    corpora = {}
    with progress_reporter() as report:
        for number, target in enumerate(targets):
            assert source is not None, "there are targets"
            table = read_pairs(source, target, source_format=source_format, target_format=target_format, layout=layout)
            found = (
                read_links(links[number], table.num_rows, one_based=False, reverse=False) if links else _align(table)
            )
            corpora[_name(target, targets)] = table.append_column(schema.LINKS, found)
        study = study_matching(corpora, options, progress=report)
    page = write_matching_report(study, output, view=viewer.view, command=given_command())
    click.echo(matching_report.markdown(study), nl=False)
    click.echo(f"written to {output}; to look at: {page}", err=True)


def _align(table: pa.Table) -> pa.ListArray[Any]:
    sides = table.column(schema.SOURCE_TOKENS), table.column(schema.TOKENS)
    return Aligner.fit(*sides).align(*sides)


def _name(target: Path, targets: Sequence[Path]) -> str:
    """A corpus's name: its file's, or the whole path where names repeat."""
    return target.name if sum(other.name == target.name for other in targets) == 1 else str(target)


@command.command(
    "extrinsic",
    cls=Command,
    first=[*FIRST, "output", "seeds", "epochs"],
    epilog="\b\nExample:\n"
    "  xner study extrinsic --model FacebookAI/xlm-roberta-base -o study \\\n"
    "      --train transfer=en.train.conll --dev transfer=en.dev.conll \\\n"
    "      --train projected=yo.projected.parquet --train gold=yo.train.conll --dev yo.dev.conll \\\n"
    "      --tagger ready=Davlan/afro-xlmr-large-ner-masakhaner-1.0_2.0 \\\n"
    "      --test yo.test.conll --test yo.other-domain.conll\n\n"
    "\b\nAn interrupted study goes on where it stopped when the same command is given again, and one with other\n"
    "methods or tests uses the models that the folder has.",
)
@click.option(
    "--output", "-o", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for what is found."
)
@takes(chosen=methods_group, renamed=classes_group, settings=settings_group(scores=False))
def extrinsic(output: Path, chosen: ChosenMethods, renamed: dict[str, str], settings: TrainingSettings) -> None:
    """What labels are worth as training data, on gold labels.

    Trains a tagger by each method with each seed and scores it on the test data: on projected labels, on labels of the
    source language (model transfer), on gold labels (what projection could reach), or both together. Differences come
    with a bootstrap interval over the sentences and p-values of paired bootstrap and approximate randomization.
    """
    found = study_extrinsic(
        chosen.methods,
        chosen.tests,
        output,
        settings=settings,
        classes=renamed,
        progress=lambda method, seed, moment: show_moment(moment, f"{method}, seed {seed}: "),
        **chosen.options,
    )
    page = write_extrinsic_report(found, output, view=viewer.view, command=given_command())
    click.echo(extrinsic_report.markdown(found), nl=False)
    click.echo(f"written to {output}; to look at: {page}", err=True)


command.add_command(study_shift.command)
