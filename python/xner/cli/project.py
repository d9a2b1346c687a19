"""`xner project`: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import click
import pyarrow as pa
import pyarrow.compute as pc

from xner import io, runner, schema
from xner._arrow import frequencies
from xner.cli._aligners import AlignerRun, AlignerSettings, aligner_options
from xner.cli._candidates import span_options
from xner.cli._filters import FILTERS_HELP, filter_options, report_filters, take_filters, without_dropped_rows
from xner.cli._inputs import (
    FORMAT_NAMES,
    existing_file,
    link_flags,
    output_file,
    read_links,
    read_sentence_pairs,
    side_format_options,
    tuned_option,
)
from xner.cli._scores import ScoreSettings, score_options
from xner.memory import Memory
from xner.projection import MATCHERS, Projector

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from xner.filters import Filters

__all__ = ["command"]


@click.command(
    "project",
    epilog="\b\nExamples:\n"
    "  xner project --source en.conll --target de.txt --output de.conll\n"
    "      aligns the two sides with the built-in aligner, fitted on these sentence pairs\n"
    "  xner project --source en.conll --target de.conll --links de.pharaoh --format parquet -o de.parquet\n"
    "      takes ready word links; keeps links, scores, margins and statuses for `xner view`\n"
    "  xner project --source en.conll --target yo.txt --aligner awesome-mbert --output yo.conll\n"
    "      aligns with a multilingual encoder; --aligner and --links may be given several times\n"
    "  xner project --source en.conll --target de.txt --method heuristic --compat politov2025 -o de.conll\n"
    "      follows a published program to the letter\n"
    "  xner project --source en.conll --target de.txt --filter one-word --filter class-counts:row -o de.conll\n"
    "      training data without doubtful entities, and without the sentences that lack one\n\n" + FILTERS_HELP + "\n\n"
    "\b\nAn interrupted run goes on where it stopped when the same command is given again.",
)
@click.option(
    "--source",
    type=existing_file,
    required=True,
    help="Labelled sentences (CoNLL columns, JSONL, Parquet, Arrow).",
)
@click.option(
    "--target",
    type=existing_file,
    required=True,
    help="Their translations, row by row: words split by blanks (.txt), or columns; labels there count as gold.",
)
@click.option("--output", "-o", type=output_file, required=True, help="Labelled target sentences.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMAT_NAMES),
    help="Format of the output; by default its name tells.",
)
@side_format_options
@click.option(
    "--links",
    type=existing_file,
    multiple=True,
    help="Word links in Pharaoh format (i-j), or a file with a `links` column. Several are combined, with each other "
    "and with those of --aligner.",
)
@link_flags
@tuned_option
@aligner_options
@click.option(
    "--scheme",
    type=click.Choice(["IOB1", "IOB2", "BIOES"]),
    default="IOB2",
    show_default=True,
    help="What --read-labels holds the source labels to.",
)
@click.option(
    "--read-labels",
    type=click.Choice(["lenient", "strict", "validate"]),
    default="lenient",
    show_default=True,
    help="Lenient reads labels of any scheme; strict ignores what the scheme does not allow; validate stops there.",
)
@click.option(
    "--method",
    type=click.Choice(["candidates", "heuristic"]),
    default="candidates",
    show_default=True,
    help="Choose among target spans by score, or take the linked words.",
)
@score_options
@click.option(
    "--candidates",
    type=click.Choice(["aligned_ends", "aligned", "ngram", "given"]),
    help="Target spans to choose from; with --score align the first three give the same result. `given` reads a column "
    "`candidates`.  [default: aligned_ends for align, else ngram]",
)
@click.option(
    "--matcher",
    type=click.Choice(list(MATCHERS)),
    default="exact",
    show_default=True,
    help="Best total score, or best pair first; ortools and milp find the best total with OR-Tools and HiGHS (extra "
    "`exact`), to judge exact by, a thousand times as slowly.",
)
@click.option(
    "--constraint",
    type=click.Choice(["<=", "=", ">=", "<", ">"]),
    default="<=",
    show_default=True,
    help="Projections of an entity, against -n.",
)
@click.option("-n", "--n", "n", type=click.IntRange(0), default=1, show_default=True, help="See --constraint.")
@span_options
@click.option(
    "--ties",
    type=click.Choice(["first", "evidence"]),
    help="What decides between equal scores; evidence for exact, first for greedy.",
)
@click.option(
    "--length-ratio-threshold",
    type=float,
    default=0.8,
    show_default=True,
    help="Heuristic: least ratio of range to entity, in words.",
)
@click.option(
    "--merge-distance",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Heuristic: words between ranges that become one.",
)
@click.option(
    "--policy",
    type=click.Choice(["skip", "overwrite"]),
    help="Heuristic: what happens on words that have a label.",
)
@click.option("--top-k", type=click.IntRange(0), help="Heuristic: ranges an entity may keep.")
@click.option("--only-i", is_flag=True, help="Heuristic: never merge a range that starts the entity anew.")
@click.option(
    "--compat",
    type=click.Choice(["politov2025", "shkalikov2024"]),
    help="Follow a published program to the letter.",
)
@click.option(
    "--memory/--no-memory",
    default=None,
    help="Project twice: where links leave an entity unclear, go by how the corpus projected it elsewhere. "
    "By default with an aligner, not with --links alone or --method heuristic, where rows stand for themselves.",
)
@filter_options
@click.option(
    "--on-error",
    type=click.Choice(["raise", "skip"]),
    default="raise",
    show_default=True,
    help="Stop at a wrong row, or leave it without entities and go on.",
)
@click.option(
    "--threads",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="0: one a core. Never changes the output.",
)
@click.option(
    "--resume/--no-resume",
    default=True,
    show_default=True,
    help="Go on from an interrupted run's finished parts.",
)
def command(
    source: Path,
    target: Path,
    output: Path,
    format_: str | None,
    source_format: str | None,
    target_format: str | None,
    links: tuple[Path, ...],
    one_based: bool,
    reverse: bool,
    scheme: Any,
    memory: bool | None,
    read_labels: Any,
    on_error: Any,
    threads: int,
    resume: bool,
    stop_words: str,
    **options: Any,
) -> None:
    """Project entity labels onto translations.

    Reads labelled source sentences and their translations, links their words, and gives every source entity the
    span of target words that fits it best.
    """
    wants_links = bool(links or options["aligners"])
    settings = AlignerSettings.take(options, files=len(links))
    scores = ScoreSettings.take(options)
    filters = take_filters(options)
    if not links and (one_based or reverse):
        raise click.UsageError("--one-based and --reverse say how to read --links")
    projector = Projector(stop_words=tuple(stop_words.split()), threads=threads, on_error=on_error, **options)
    wants_links = wants_links or projector.options.uses_links
    if memory is None:
        by_default = options["method"] == "candidates" and options["compat"] is None
        memory = by_default and wants_links and bool(settings.names)
    if memory and options["method"] != "candidates":
        raise click.UsageError("--memory goes with --method candidates")
    io.format_of(output, format_)
    pairs = read_sentence_pairs(
        source,
        target,
        source_format=source_format,
        target_format=target_format,
        scheme=scheme,
        mode=read_labels,
    )
    table = scores.add_columns(pairs)
    if memory and schema.HINTS in table.schema.names:
        raise click.UsageError("--memory makes a column 'hints', which the input has already: --no-memory takes it")
    files = {"source": source, "target": target}
    files |= {f"links {number}": path for number, path in enumerate(links)}
    files |= {f"scores {number}": path for number, path in enumerate(scores.files)}
    key = runner.fingerprint(
        files,
        {
            "projection": projector.signature,
            "stop_words": stop_words,
            "source_format": source_format,
            "target_format": target_format,
            "links": [one_based, reverse],
            "labels": [scheme, read_labels],
            "on_error": on_error,
            "filters": filters and filters.signature,
            "ner_labels": options["ner_labels"],
            "aligner": settings.key if wants_links else None,
            "memory": memory,
        },
    )
    with (
        runner.checkpoints(output, key, resume=resume) as kept,
        runner.progress_reporter() as report,
    ):
        if wants_links:
            given = [read_links(path, table.num_rows, one_based=one_based, reverse=reverse) for path in links]
            sides = table.column(schema.SOURCE_TOKENS), table.column(schema.TOKENS)
            found = settings.link(AlignerRun(*sides, kept, threads, report), others=given)
            table = table.append_column(schema.LINKS, found.column(schema.LINKS))
        if memory:
            table = _with_hints(table, projector, threads=threads)
        result = runner.run(
            table,
            _stage(projector, filters),
            kept,
            format=format_,
            report=report,
            select=lambda made: without_dropped_rows(made, output, format_),
        )
    _summarize(result, "projected and kept" if filters else "projected")
    if filters:
        report_filters(result, filters, output, format_)
    click.echo(f"written to {output}", err=True)
    parts = [projector.signature, "memory:yes" if memory else "", filters.signature if filters else ""]
    click.echo("|".join(part for part in parts if part), err=True)


def _stage(projector: Projector, filters: Filters | None) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    """Projection, and filters behind it."""
    return projector if filters is None else lambda batch: filters(projector(batch))


def _with_hints(table: pa.Table, projector: Projector, *, threads: int) -> pa.Table:
    """What a first projection of the whole corpus says about each entity."""
    first = projector(table)
    memory = Memory()
    memory.remember(first)
    return table.append_column(schema.HINTS, memory.hint(first, threads=threads).column(schema.HINTS))


def _summarize(result: pa.Table, what: str) -> None:
    entities = pc.sum(pc.list_value_length(result.column(schema.SOURCE_ENTITIES))).as_py() or 0
    sources = cast("pa.ListArray", result.column(schema.ENTITIES).combine_chunks())
    rows = pc.list_parent_indices(sources)
    pairs = pa.table({"row": rows, "source": pc.struct_field(pc.list_flatten(sources), "source")})
    projected = pairs.group_by(["row", "source"]).aggregate([]).num_rows
    share = f" ({projected / entities:.1%})" if entities else ""
    statuses = ", ".join(f"{count} {status}" for status, count in frequencies(result.column(schema.STATUS)).items())
    click.echo(f"{result.num_rows} sentences: {statuses or 'none'}", err=True)
    click.echo(f"{projected} of {entities} source entities {what}{share}", err=True)
