"""`xner study`: what a choice of method does, measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xner import runner, schema
from xner.alignment import Aligner
from xner.cli._inputs import existing_file, read_links, read_sentence_pairs, side_format_options
from xner.errors import Error
from xner.projection import MATCHERS
from xner.study import Size, study_matching, write_matching_report
from xner.study.matching_report import markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

__all__ = ["command"]

_RELATIONS = ("<=", ">=", "=", "<", ">")


@click.group("study")
def command() -> None:
    """Measure what a choice of method does: tables, plots and a page to look at."""


def _constraint(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> list[tuple[str, int]]:
    result = []
    for value in values:
        relation = next((r for r in _RELATIONS if value.startswith(r)), None)
        number = value.removeprefix(relation or "").strip()
        if relation is None or not number.isdecimal():
            raise click.BadParameter(f"{value!r}: expected a relation and a number, as '<=1' or '=2'")
        result.append((relation, int(number)))
    return result


def _sizes(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> list[Size]:
    try:
        return [Size.parse(value) for value in values]
    except Error as error:
        raise click.BadParameter(str(error)) from None


@command.command(
    "matching",
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
    "--synthetic",
    "sizes",
    metavar="WORDSxENTITIESxCANDIDATES",
    multiple=True,
    callback=_sizes,
    help="Made-up problems of a size, as 25x5x40: words, entities, candidates of each. Beside corpora, or alone.",
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
@click.option(
    "--score",
    "scores",
    metavar="NAME|NAME=WEIGHT,...",
    multiple=True,
    default=["links"],
    show_default=True,
    help="links, words or weighted: the alignment score, by what it counts; or a sum of scores as for `xner project`: "
    "align_characters, align=1,hints=0.5, ... whose columns the target file has.",
)
@click.option(
    "--constraint",
    "constraints",
    multiple=True,
    default=["<=1"],
    show_default=True,
    callback=_constraint,
    help="Projections of an entity, as '<=1', '=1', '>=1', '<2', '>0'.",
)
@click.option(
    "--matcher",
    "matchers",
    type=click.Choice(list(MATCHERS)),
    multiple=True,
    default=["exact", "greedy"],
    show_default=True,
    help="The first one is what the others are held against.",
)
@click.option(
    "--candidates",
    type=click.Choice(["ngram", "aligned_ends"]),
    default="ngram",
    show_default=True,
    help="Target spans to choose from.",
)
@click.option("--max-words", type=click.IntRange(1), help="Longest candidate; no limit by default.")
@click.option("--time-limit", type=click.FloatRange(0, min_open=True), help="Seconds a sentence; none by default.")
@click.option("--growth/--no-growth", default=True, show_default=True, help="Measure time against size, too.")
def matching(
    source: Path | None,
    targets: Sequence[Path],
    links: Sequence[Path],
    source_format: str | None,
    target_format: str | None,
    output: Path,
    **options: Any,
) -> None:
    """Greedy against exact matching: objectives, labels, F1 and time.

    Solves the same problems by several matchers. Writes a summary (Markdown, CSV, Parquet), plots, and one page that
    opens on the sentences where the matchers differ.
    """
    if (source is None) != (not targets) or not (targets or options["sizes"]):
        raise click.UsageError("expected --source and --target, or --synthetic, or all of them")
    if links and len(links) != len(targets):
        raise click.UsageError(f"{len(links)} files of links for {len(targets)} targets: one for each, or none")
    corpora = {}
    with runner.progress_reporter() as report:
        for number, target in enumerate(targets):
            assert source is not None, "there are targets"
            table = read_sentence_pairs(source, target, source_format=source_format, target_format=target_format)
            found = (
                read_links(links[number], table.num_rows, one_based=False, reverse=False) if links else _align(table)
            )
            corpora[_name(target, targets)] = table.append_column(schema.LINKS, found)
        study = study_matching(corpora, progress=report, **options)
    page = write_matching_report(study, output)
    click.echo(markdown(study.summary()), nl=False)
    click.echo(f"written to {output}; to look at: {page}", err=True)


def _align(table: pa.Table) -> pa.ListArray:
    sides = table.column(schema.SOURCE_TOKENS), table.column(schema.TOKENS)
    return Aligner.fit(*sides).align(*sides)


def _name(target: Path, targets: Sequence[Path]) -> str:
    """A corpus's name: its file's, or the whole path where names repeat."""
    return target.name if sum(other.name == target.name for other in targets) == 1 else str(target)
