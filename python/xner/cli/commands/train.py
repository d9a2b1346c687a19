"""`xner train`: train a tagger of named entities."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from xner.cli.options.groups import Command, takes
from xner.cli.options.layouts import layout_group
from xner.cli.options.training import (
    NewTagger,
    Runs,
    ScoringData,
    data_group,
    new_tagger_group,
    noise_group,
    read_corpus,
    run_trainings,
    runs_group,
    settings_group,
)
from xner.training import presets
from xner.training.run import train

if TYPE_CHECKING:
    from xner.io.layout import Layout
    from xner.training.noise import NoiseOptions
    from xner.training.settings import TrainingSettings

__all__ = ["command"]


@click.command(
    "train",
    cls=Command,
    first=["training", "dev", "tests", "model", "output", "preset", "epochs", "seeds"],
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
@click.option("--train", "training", multiple=True, required=True, help="Labelled sentences; may be given again.")
@click.option(
    "--preset",
    type=click.Choice(list(presets.TRAINING_PRESETS)),
    default="ner",
    show_default=True,
    help="Defaults of a task: `candidates` makes all classes one and prefers recall.",
)
@takes(
    into=new_tagger_group,
    scored=data_group,
    settings=settings_group(with_preset=True),
    noise=noise_group,
    runs=runs_group,
    layout=layout_group(classes=False),
)
def command(
    training: tuple[str, ...],
    preset: str,
    into: NewTagger,
    scored: ScoringData,
    settings: TrainingSettings,
    noise: NoiseOptions,
    runs: Runs,
    layout: Layout,
) -> None:
    """Train a tagger of named entities on labelled sentences.

    The output is a model for `xner tag` and transformers, with its scores on the development and test data, the
    confusion of classes and the kinds of errors in `metrics.json`, and a card, `README.md`.
    """
    classes = {**presets.TRAINING_PRESETS[preset].classes, **scored.classes}
    corpora = [read_corpus(place, "train", scored.format, read=layout.read_tagged) for place in training]
    learn = partial(train, into.model, corpora, noise=noise, classes=classes)
    run_trainings(learn, into, settings, runs, **scored.read(layout))
