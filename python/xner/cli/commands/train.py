"""`xner train`: train a tagger of named entities."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from xner.cli.options.groups import takes
from xner.cli.options.layouts import layout_group
from xner.cli.options.taggers import take_classes
from xner.cli.options.training import Training, data_options, model_options, read_corpus, run_options, settings_options
from xner.training import presets
from xner.training.noise import BELOW_MARGIN, ROW_WEIGHTS, NoiseOptions
from xner.training.run import train

if TYPE_CHECKING:
    from xner.io.layout import Layout

__all__ = ["command"]

_NOISE = NoiseOptions()


@click.command(
    "train",
    epilog="\b\nExamples:\n"
    "  xner train --model FacebookAI/xlm-roberta-base --train de.parquet --dev dev.conll --test test.conll -o de-ner\n"
    "  xner train --model FacebookAI/xlm-roberta-base --train hf:masakhane/masakhaner2:yor --seeds 1,2,3 -o yo-ner\n"
    "      a data set of the hub, `hf:NAME[:CONFIGURATION][:SPLIT]`; three runs, averaged\n"
    "  xner train ... --row-weights score --min-margin 0.1 --loss generalized-cross-entropy\n"
    "      for projected labels, some of which are wrong\n"
    "  xner train ... --preset candidates -o extractor             finds spans, of no class, with high recall\n"
    "  accelerate launch -m xner train ...                         on several GPUs\n\n"
    "\b\nAn interrupted run goes on from its last checkpoint when the same command is given again.",
)
# Data
@click.option("--train", "training", multiple=True, required=True, help="Labelled sentences; may be given again.")
@data_options
# Model
@model_options
@click.option(
    "--preset",
    type=click.Choice(list(presets.TRAINING_PRESETS)),
    default="ner",
    show_default=True,
    help="Defaults of a task: `candidates` makes all classes one and prefers recall.",
)
@settings_options
# Noise
@click.option(
    "--row-weights",
    type=click.Choice(list(ROW_WEIGHTS)),
    default=_NOISE.row_weights,
    show_default=True,
    help="Weigh sentences by the mean score or margin of their projected entities.",
)
@click.option("--min-margin", type=float, help="Do not learn from projected entities with a smaller margin.")
@click.option(
    "--below-margin",
    type=click.Choice(list(BELOW_MARGIN)),
    default=_NOISE.below_margin,
    show_default=True,
    help="Learn nothing from their words, or leave their sentences out.",
)
@click.option("--drop-incomplete", is_flag=True, help="Leave out sentences with a source entity without a target.")
# Runs
@run_options
@takes(layout=layout_group(classes=False))
def command(
    training: tuple[str, ...],
    preset: str,
    row_weights: Any,
    min_margin: float | None,
    below_margin: Any,
    drop_incomplete: bool,
    layout: Layout,
    **options: Any,
) -> None:
    """Train a tagger of named entities on labelled sentences.

    The output is a model for `xner tag` and transformers, with its scores on the development and test data, the
    confusion of classes and the kinds of errors in `metrics.json`, and a card, `README.md`.
    """
    chosen = presets.TRAINING_PRESETS[preset]
    classes = {**chosen.classes, **take_classes(options)}
    noise = NoiseOptions(row_weights, min_margin, below_margin, drop_incomplete)
    corpora = [read_corpus(place, "train", options["format_"], read=layout.read_tagged) for place in training]
    shared = Training.take(options, defaults=chosen.settings, layout=layout)
    shared.run(partial(train, shared.model, corpora, noise=noise, classes=classes))
