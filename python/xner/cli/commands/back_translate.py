"""`xner back-translate`: projection from the target language onto itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from xner.cli.options.groups import Command, takes
from xner.cli.options.inputs import existing_file, label_options, side_format_options
from xner.cli.options.layouts import layout_group
from xner.cli.options.pipelines import (
    back_markers_option,
    output_group,
    pipeline_group,
    run,
    scores_option,
    steps_option,
)
from xner.io.sides import read_pairs
from xner.pipelines import recipes

if TYPE_CHECKING:
    from pathlib import Path

    from xner.cli.options.pipelines import Output
    from xner.io.layout import Layout
    from xner.pipelines.projection_run import Pipeline
    from xner.pipelines.recipes import Step

__all__ = ["command"]


@click.command(
    "back-translate",
    cls=Command,
    epilog="\b\nExample:\n"
    "  xner back-translate --source en.conll --target yo.txt --source-language en --target-language yo \\\n"
    "      --translator ychenNLP/nllb-200-3.3B-easyproject -o yo.conll\n\n"
    "\b\nIn the published results of this refinement it is better than plain projection for none of 18 languages of\n"
    "MasakhaNER 2.0; `xner project` does without.",
)
@click.option(
    "--source", type=existing_file, required=True, help="Labelled sentences, say in English (CoNLL columns, ...)."
)
@click.option(
    "--target", type=existing_file, required=True, help="Their translations, row by row; labels there count as gold."
)
@takes(
    output=output_group,
    pipeline=pipeline_group(without=["translate_to", "markers", "broken_markers", "keep_bad", "translations"]),
    layout=layout_group(with_pipeline=True, two_sides=True),
)
@side_format_options
@label_options
@scores_option
@back_markers_option
@steps_option
def command(
    source: Path,
    target: Path,
    output: Output,
    pipeline: Pipeline,
    layout: Layout,
    source_format: str | None,
    target_format: str | None,
    scheme: Any,
    read_labels: Any,
    scores: tuple[Path, ...],
    markers: Any,
    steps: Path | None,
) -> None:
    """Refine projection by back-translation.

    The labelled sentences are translated with markers around their entities, and take the place of their originals:
    words are aligned with words of the same language. Where markers broke, the row keeps its original.
    """
    if pipeline.running.target_language is None:
        raise click.UsageError("--target-language is missing: the one of --target")
    if pipeline.translating.translator is None:
        raise click.UsageError("--translator is missing: the translation model")

    def recipe(target_tags: Step | None, aligner: Step) -> list[Step]:
        into = pipeline.translating.directions()(*map(str, pipeline.languages))
        words = pipeline.translating.words
        return recipes.back_translation(into, markers=markers, words=words, target_tags=target_tags, aligner=aligner)

    table = read_pairs(
        source,
        target,
        source_format=source_format,
        target_format=target_format,
        scores=scores,
        scheme=scheme,
        read_labels=read_labels,
        layout=layout,
    )
    run(
        pipeline,
        table,
        output,
        recipe=recipe,
        steps=steps,
    )
