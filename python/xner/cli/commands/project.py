"""`xner project`: the main job."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from xner.cli.options.filters import FILTERS_HELP
from xner.cli.options.inputs import (
    existing_file,
    label_options,
    link_flags,
    read_links,
    read_sentence_pairs,
    read_source,
    side_format_options,
)
from xner.cli.options.pipelines import Pipeline, broken_option, markers_option, pipeline_options
from xner.cli.options.projecting import Projecting, projecting_options
from xner.cli.options.scores import ScoreSettings
from xner.cli.options.taggers import TaggerSettings, tagger_beside_options
from xner.pipelines import recipes

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command(
    "project",
    epilog="\b\nExamples:\n"
    "  xner project --source en.conll --target de.txt --output de.conll\n"
    "      aligns the two sides with the built-in aligner, fitted on these sentence pairs\n"
    "  xner project --source en.conll --translate-to yo --translator facebook/nllb-200-3.3B -o yo.conll\n"
    "      makes training data in a language that has none: translates, aligns and projects\n"
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
    help="Their translations, row by row: words split by blanks (.txt), or columns; labels there count as gold.",
)
@click.option("--translate-to", metavar="LANGUAGE", help="Instead of --target: translate the source sentences.")
@side_format_options
@click.option(
    "--links",
    type=existing_file,
    multiple=True,
    help="Word links in Pharaoh format (i-j), or a file with a `links` column. Several are combined, with each other "
    "and with those of --aligner.",
)
@link_flags
@markers_option
@broken_option
@pipeline_options
@tagger_beside_options
@label_options
@projecting_options
@click.pass_context
def command(
    context: click.Context,
    /,
    source: Path,
    target: Path | None,
    translate_to: str | None,
    source_format: str | None,
    target_format: str | None,
    links: tuple[Path, ...],
    one_based: bool,
    reverse: bool,
    scheme: Any,
    read_labels: Any,
    markers: Any,
    broken_markers: str,
    **options: Any,
) -> None:
    """Project entity labels onto translations.

    Reads labelled source sentences and their translations, or makes these, links their words, and gives every source
    entity the span of target words that fits it best.
    """
    if target is not None and translate_to is not None:
        raise click.UsageError("--target has the translations, --translate-to has them made: give one of them")
    if not links and (one_based or reverse):
        raise click.UsageError("--one-based and --reverse say how to read --links")
    scores = ScoreSettings.take(options)
    files = {"source": source, "target": target}
    files |= {f"links {number}": path for number, path in enumerate(links)}
    files |= {f"scores {number}": path for number, path in enumerate(scores.files)}
    reading = {"scheme": scheme, "mode": read_labels}
    key = [source_format, target_format, one_based, reverse, reading]
    tagger = TaggerSettings.take(options)
    if translate_to is not None:
        for name, given in (("--links", links), ("--scores", scores.files), ("--target-format", target_format)):
            if given:
                raise click.UsageError(f"{name} goes with --target: there are no target words before translation")
        languages = options["source_language"] or "en", translate_to
        pipeline = Pipeline.take(options, languages)
        projecting = Projecting.take(options, shares_device=True)
        steps = recipes.translate_train(
            pipeline.direction(*languages),
            markers=markers,
            words=pipeline.words,
            keep_bad=pipeline.keep_bad,
            target_tags=projecting.target_tags(tagger),
            aligner=projecting.links_step(),
        )
        table = read_source(source, format=source_format, **reading)
        if broken_markers == "drop":
            if markers is None:
                raise click.UsageError("--broken-markers goes with --markers")
            projecting = replace(projecting, drops_broken_markers=True)
        projecting.run(table, steps, files, key, folder=pipeline.steps, needs_words=True)
    elif target is not None:
        if markers is not None:
            raise click.UsageError("--markers goes with --translate-to")
        Pipeline.refuse(context, options, "--translate-to")
        projecting = Projecting.take(options, files=len(links), shares_device=tagger is not None)
        table = read_sentence_pairs(source, target, source_format=source_format, target_format=target_format, **reading)
        table = scores.add_columns(table)
        others = [read_links(path, table.num_rows, one_based=one_based, reverse=reverse) for path in links]
        tags = projecting.target_tags(tagger)
        steps = [] if tags is None else [tags]
        steps += [projecting.links_step(others)] if projecting.wants_links else []
        projecting.run(table, steps, files, key)
    else:
        raise click.UsageError("--target is missing: the translations; or --translate-to, to have them made")
