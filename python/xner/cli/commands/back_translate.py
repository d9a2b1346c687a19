"""`xner back-translate`: projection from the target language onto itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from xner.cli.options.inputs import existing_file, label_options, read_sentence_pairs, side_format_options
from xner.cli.options.pipelines import Pipeline, back_markers_option, pipeline_options
from xner.cli.options.projecting import Projecting, projecting_options
from xner.cli.options.scores import ScoreSettings
from xner.cli.options.taggers import TaggerSettings, tagger_beside_options
from xner.pipelines import recipes

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command(
    "back-translate",
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
@side_format_options
@back_markers_option
@pipeline_options
@tagger_beside_options
@label_options
@projecting_options
def command(
    source: Path,
    target: Path,
    source_format: str | None,
    target_format: str | None,
    scheme: Any,
    read_labels: Any,
    markers: Any,
    **options: Any,
) -> None:
    """Refine projection by back-translation.

    The labelled sentences are translated with markers around their entities, and take the place of their originals:
    words are aligned with words of the same language. Where markers broke, the row keeps its original.
    """
    languages = options["source_language"] or "en", options["target_language"]
    if languages[1] is None:
        raise click.UsageError("--target-language is missing: the one of --target")
    scores = ScoreSettings.take(options)
    tagger = TaggerSettings.take(options)
    pipeline = Pipeline.take(options, languages)
    projecting = Projecting.take(options, shares_device=True)
    steps = recipes.back_translation(
        pipeline.direction(*languages),
        markers=markers,
        words=pipeline.words,
        target_tags=projecting.target_tags(tagger),
        aligner=projecting.links_step(),
    )
    reading = {"scheme": scheme, "mode": read_labels}
    table = read_sentence_pairs(source, target, source_format=source_format, target_format=target_format, **reading)
    table = scores.add_columns(table)
    files = {"source": source, "target": target}
    files |= {f"scores {number}": path for number, path in enumerate(scores.files)}
    projecting.run(table, steps, files, [source_format, target_format, reading], folder=pipeline.steps)
