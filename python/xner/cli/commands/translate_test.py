"""`xner translate-test`: labels for text of a language without a tagger, by way of one with a tagger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from xner import io
from xner.cli.options.groups import Command, takes
from xner.cli.options.inputs import FORMAT_NAMES, existing_file
from xner.cli.options.layouts import layout_group
from xner.cli.options.pipelines import (
    back_markers_option,
    output_group,
    pipeline_group,
    run,
    scores_option,
    steps_option,
)
from xner.io.sides import add_scores, read_target
from xner.pipelines import recipes

if TYPE_CHECKING:
    from pathlib import Path

    from xner.cli.options.pipelines import Output
    from xner.io.layout import Layout
    from xner.pipelines.projection_run import Pipeline
    from xner.pipelines.recipes import Step

__all__ = ["command"]


@click.command(
    "translate-test",
    cls=Command,
    epilog="\b\nExamples:\n"
    "  xner translate-test --target yo.txt --target-language yo --translator facebook/nllb-200-3.3B \\\n"
    "      --tagger FacebookAI/xlm-roberta-large-finetuned-conll03-english --ignore-class MISC -o yo.conll\n"
    "  xner translate-test ... --aligner awesome-mbert --score align_ner --back-translate -o yo.parquet\n"
    "      translates and tags nothing anew with the same --steps",
)
@click.option(
    "--target",
    type=existing_file,
    required=True,
    help="Sentences to be labelled: words split by blanks (.txt), or columns; labels there count as gold.",
)
@click.option("--target-format", type=click.Choice(FORMAT_NAMES), help="Of that file; by default its name tells.")
@click.option(
    "--back-translate",
    is_flag=True,
    help="Translate the tagged sentences back, with markers, and align words of the same language.",
)
@takes(
    output=output_group,
    pipeline=pipeline_group(without=["translate_to", "markers", "broken_markers", "translations"]),
    layout=layout_group(with_pipeline=True),
)
@scores_option
@back_markers_option
@steps_option
def command(
    target: Path,
    output: Output,
    pipeline: Pipeline,
    layout: Layout,
    target_format: str | None,
    back_translate: bool,
    scores: tuple[Path, ...],
    markers: Any,
    steps: Path | None,
) -> None:
    """Label text by way of another language.

    Translates the sentences into a language that has a tagger, tags the translations, and projects what it finds back
    onto the original words. Every row keeps its place.
    """
    if pipeline.running.target_language is None:
        raise click.UsageError("--target-language is missing: the one of --target")
    if pipeline.tagging.tagger is None:
        raise click.UsageError("--tagger is missing: the model that tags the translations")
    if pipeline.translating.translator is None:
        raise click.UsageError("--translator is missing: the translation model")

    def recipe(target_tags: Step | None, aligner: Step) -> list[Step]:
        direction, languages = pipeline.translating.directions(), list(map(str, pipeline.languages))
        return recipes.translate_test(
            direction(*reversed(languages)),
            pipeline.tagging.step("source-tags", ["source"]),
            back=direction(*languages) if back_translate else None,
            markers=markers,
            words=pipeline.translating.words,
            by_blanks=io.format_of(target, target_format) == "text",
            keep_bad=pipeline.translating.keep_bad,
            target_tags=target_tags,
            aligner=aligner,
        )

    run(
        pipeline,
        add_scores(read_target(target, format=target_format, layout=layout), scores),
        output,
        recipe=recipe,
        steps=steps,
    )
