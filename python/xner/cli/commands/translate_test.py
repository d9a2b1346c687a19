"""`xner translate-test`: labels for text of a language without a tagger, by way of one with a tagger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from xner import io
from xner.cli.options.inputs import FORMAT_NAMES, existing_file, read_target
from xner.cli.options.pipelines import Pipeline, back_markers_option, pipeline_options
from xner.cli.options.projecting import Projecting, projecting_options
from xner.cli.options.scores import ScoreSettings
from xner.cli.options.taggers import TaggerSettings, tagger_beside_options
from xner.pipelines import recipes

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command(
    "translate-test",
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
@back_markers_option
@pipeline_options
@tagger_beside_options
@projecting_options
def command(target: Path, target_format: str | None, back_translate: bool, markers: Any, **options: Any) -> None:
    """Label text by way of another language.

    Translates the sentences into a language that has a tagger, tags the translations, and projects what it finds back
    onto the original words. Every row keeps its place.
    """
    languages = options["source_language"] or "en", options["target_language"]
    if languages[1] is None:
        raise click.UsageError("--target-language is missing: the one of --target")
    tagger = TaggerSettings.take(options)
    if tagger is None:
        raise click.UsageError("--tagger is missing: the model that tags the translations")
    scores = ScoreSettings.take(options)
    pipeline = Pipeline.take(options, languages)
    projecting = Projecting.take(options, shares_device=True)
    steps = recipes.translate_test(
        pipeline.direction(*reversed(languages)),
        tagger.step("source-tags", ["source"]),
        back=pipeline.direction(*languages) if back_translate else None,
        markers=markers,
        words=pipeline.words,
        by_blanks=io.format_of(target, target_format) == "text",
        keep_bad=pipeline.keep_bad,
        target_tags=projecting.target_tags(tagger) if projecting.target_roles else None,
        aligner=projecting.links_step(),
    )
    table = scores.add_columns(read_target(target, format=target_format))
    files = {"target": target} | {f"scores {number}": path for number, path in enumerate(scores.files)}
    projecting.run(table, steps, files, target_format, folder=pipeline.steps)
