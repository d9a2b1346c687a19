"""`xner project`: the main job."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from xner.cli.options.filters import FILTERS_HELP
from xner.cli.options.groups import Command, takes
from xner.cli.options.inputs import (
    config_option,
    existing_files,
    label_options,
    link_flags,
    shown,
    side_format_options,
    tuned_option,
)
from xner.cli.options.layouts import layout_group
from xner.cli.options.pipelines import (
    pipeline_group,
    run,
    scores_of_shards_option,
    shards_group,
    steps_option,
)
from xner.errors import OptionError
from xner.io.labelled_file import LabelledFile
from xner.io.pairs import Pairs
from xner.pipelines.aligning import BUILTIN
from xner.pipelines.shard_names import shard_files
from xner.pipelines.shards import plan_lines

if TYPE_CHECKING:
    from pathlib import Path

    from xner.cli.options.pipelines import Output
    from xner.io.layout import Layout
    from xner.pipelines.projection_run import Pipeline

__all__ = ["command"]


@click.command(
    "project",
    cls=Command,
    first=["source", "target", "output", "links", "aligner", "matcher", "score", "filters", "threads", "config"],
    sections={
        "Projection": ["method", "constraint", "n", "ties", "compat", "memory", "names_memory", "nested"],
        "Files": ["format_", "source_format", "target_format", "one_based", "reverse", "scheme", "read_labels"],
        "Run": ["dry_run", "resume", "on_error", "tuned"],
    },
    epilog="\b\nExamples:\n"
    "  xner project --source en.conll --target de.txt --output de.conll\n"
    "      aligns the two sides with the built-in aligner, fitted on these sentence pairs\n"
    "  xner project --source en.conll --translate-to yo --translator facebook/nllb-200-3.3B -o yo.conll\n"
    "      makes training data in a language that has none: translates, aligns and projects\n"
    "  xner project --source en.conll --translate-to es --translator 'command:./mt {source2} {target2}' -o es.conll\n"
    "      translates by a program that reads lines and writes lines\n"
    "  xner project --source en.conll --translate-to es --translations es.txt -o es.conll\n"
    "      takes running text that was translated elsewhere, and splits it into words\n"
    "  xner project --source en.conll --target de.conll --links de.pharaoh --format parquet -o de.parquet\n"
    "      takes ready word links; keeps links, scores, margins and statuses for `xner view`\n"
    "  xner project --source en.conll --target yo.txt --aligner awesome-mbert --output yo.conll\n"
    "      aligns with a multilingual encoder; --aligner and --links may be given several times\n"
    "  xner project --source en.conll --target de.txt --method heuristic --compat politov2025 -o de.conll\n"
    "      follows a published program to the letter\n"
    "  xner project --source en.conll --target de.txt --filter one-word --filter class-counts:row -o de.conll\n"
    "      training data without doubtful entities, and without the sentences that lack one\n"
    "  xner project --source en/ --target de/ --links links/ --output projected/\n"
    "      takes the files of folders, as many in each, and writes as many, with a manifest\n"
    "  xner project --config run.toml --source en.conll --target de.txt -o de.conll\n"
    '      the options of run.toml, by their names without dashes in front: matcher = "greedy"\n\n'
    + FILTERS_HELP
    + "\n\n"
    "\b\nFiles are read, projected and written piece by piece. Fitting an aligner, the corpus's memory and\n"
    "corrections read them once more each, before that: --dry-run says so.\n\n"
    "\b\nAn interrupted run goes on where it stopped when the same command is given again. `xner.Pipeline` does the\n"
    "same from Python, with options of the same names.",
)
@click.option(
    "--source",
    type=existing_files,
    required=True,
    help="Labelled sentences (CoNLL columns, JSONL, Parquet, Arrow). Or several files, a folder or a pattern in quotes "
    "('en-*.parquet'): each is projected with those of --target and --links that have its name but for endings and "
    "languages. An aligner is fitted on all of them, and the corpus's memory is of all. --translate-to and "
    "--corrections take one file.",
)
@click.option(
    "--target",
    type=existing_files,
    help="Their translations, row by row: words split by blanks (.txt), or columns; labels there count as gold. Or "
    "--translate-to.",
)
@click.option(
    "--links",
    type=existing_files,
    multiple=True,
    help="Word links in Pharaoh format (i-j), or a file with a `links` column. Several are combined, with each other "
    "and with those of --aligner.",
)
@takes(output=shards_group, pipeline=pipeline_group(), layout=layout_group(with_pipeline=True, two_sides=True))
@side_format_options
@link_flags
@label_options
@scores_of_shards_option
@steps_option
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what would be done, as far as that is known without reading all: rows, shards, parts, memory.",
)
@tuned_option
@config_option
def command(
    source: Path,
    target: Path | None,
    links: tuple[Path, ...],
    output: Output,
    pipeline: Pipeline,
    layout: Layout,
    source_format: str | None,
    target_format: str | None,
    one_based: bool,
    reverse: bool,
    scheme: Any,
    read_labels: Any,
    scores: tuple[Path, ...],
    steps: Path | None,
    dry_run: bool,
) -> None:
    """Project entity labels onto translations.

    Reads labelled source sentences and their translations, or makes these, links their words, and gives every source
    entity the span of target words that fits it best.
    """
    translates = pipeline.running.translate_to is not None
    if target is not None and translates:
        raise click.UsageError("--target has the translations, --translate-to has them made: give one of them")
    if target is None and not translates:
        raise click.UsageError("--target is missing: the translations; or --translate-to, to have them made")
    if not translates:
        for name in (*pipeline.translating.changes(), *(["markers"] if pipeline.running.markers else [])):
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --translate-to")
    if not translates and not pipeline.aligning.encoders:
        for name in ("source_language", "target_language"):
            if getattr(pipeline.running, name) is not None:
                flag = f"--{name.replace('_', '-')}"
                raise click.UsageError(f"{flag} goes with --translate-to, or with an aligner that is an encoder")
    if target is None and shard_files(source) is not None:
        raise click.UsageError("--source: several files go with --target and --links")
    if not links and (one_based or reverse):
        raise click.UsageError("--one-based and --reverse say how to read --links")
    if output.save_aligner is not None and links and BUILTIN not in pipeline.aligning.aligner:
        raise click.UsageError(f"--save-aligner is for the aligner {BUILTIN!r}, which is not used here")
    if translates:
        for name, given in (("--links", links), ("--scores", scores), ("--target-format", target_format)):
            if given:
                raise click.UsageError(f"{name} goes with --target: there are no target words before translation")
    elif steps is not None:
        raise click.UsageError("--steps goes with --translate-to")
    told = partial(click.echo, err=True)
    if dry_run and target is None:
        raise click.UsageError("--dry-run goes with --target")
    rows: LabelledFile | Pairs
    if target is None:
        rows = LabelledFile(
            source,
            format=source_format,
            scheme=scheme,
            read_labels=read_labels,
            layout=layout,
            on_error=pipeline.running.on_error,
            told=told,
        )
    else:
        rows = Pairs(
            source,
            target,
            source_format=source_format,
            target_format=target_format,
            links=links,
            one_based=one_based,
            reverse=reverse,
            on_error=pipeline.running.on_error,
            scores=scores,
            scheme=scheme,
            read_labels=read_labels,
            layout=layout,
            told=told,
        )
    if dry_run and isinstance(rows, Pairs):
        try:
            for line in plan_lines(pipeline, rows, shown(output.path)):
                click.echo(line)
        except OptionError as error:
            raise click.UsageError(str(error)) from None
        return
    run(
        pipeline,
        rows,
        output,
        steps=steps,
        needs_words=translates,
    )
