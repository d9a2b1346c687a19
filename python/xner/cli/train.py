"""`xner train`: train a tagger of named entities."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xner import io
from xner.cli._inputs import FORMAT_NAMES
from xner.cli._taggers import take_classes
from xner.errors import Error
from xner.training import presets
from xner.training.fine_tuning import is_main_process
from xner.training.losses import LOSSES
from xner.training.noise import BELOW_MARGIN, ROW_WEIGHTS, NoiseOptions
from xner.training.run import Corpus, train
from xner.training.seeds import train_seeds
from xner.training.settings import CLASS_WEIGHTS, SCHEDULES, LoraSettings, TrainingSettings

if TYPE_CHECKING:
    from xner.training.fine_tuning import Moment
    from xner.training.report import TrainingReport

__all__ = ["command"]

_DEFAULT = TrainingSettings()
_LORA = LoraSettings()
_NOISE = NoiseOptions()


def _class_weights(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> str | dict[str, float] | None:
    """`balanced` or `none`, or numbers by class."""
    if len(values) == 1 and values[0] in CLASS_WEIGHTS:
        return values[0]
    weights = {}
    for value in values:
        name, _, number = value.partition("=")
        try:
            weights[name] = float(number)
        except ValueError:
            raise click.BadParameter(f"{value!r} is neither 'balanced' nor CLASS=NUMBER", context, parameter) from None
    return weights or None


@click.command(
    "train",
    epilog="\b\nExamples:\n"
    "  xner train --model FacebookAI/xlm-roberta-base --train de.parquet --dev dev.conll --test test.conll -o de-ner\n"
    "  xner train --model FacebookAI/xlm-roberta-base --train hf:masakhane/masakhaner2:yor --seeds 1,2,3 -o yo-ner\n"
    "      a data set of the hub, `hf:NAME[:CONFIGURATION][:SPLIT]`; three runs, averaged\n"
    "  xner train ... --row-weights margin --min-margin 0.1 --loss generalized-cross-entropy\n"
    "      for projected labels, some of which are wrong\n"
    "  xner train ... --preset candidates -o extractor             finds spans, of no class, with high recall\n"
    "  accelerate launch -m xner train ...                         on several GPUs\n\n"
    "\b\nAn interrupted run goes on from its last checkpoint when the same command is given again.",
)
# Data
@click.option("--train", "training", multiple=True, required=True, help="Labelled sentences; may be given again.")
@click.option("--dev", help="Labelled sentences that choose the best checkpoint and stop training early.")
@click.option("--test", "tests", multiple=True, help="Labelled sentences to score the result on; may be given again.")
@click.option("--format", "format_", type=click.Choice(FORMAT_NAMES), help="Format of the files; by default by name.")
@click.option(
    "--class-map",
    multiple=True,
    metavar="OLD=NEW",
    help="Another name for a class in all data, `*` for all that are not named. May be given several times.",
)
@click.option(
    "--ignore-class",
    "ignored",
    multiple=True,
    metavar="CLASS",
    help="A class of the data that becomes O. May be given several times.",
)
# Model
@click.option("--model", required=True, help="Encoder to start from: name on the Hugging Face hub, or folder.")
@click.option("--random-weights", is_flag=True, help="Take the model's configuration and tokenizer alone.")
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="Folder for the trained model.")
@click.option(
    "--preset",
    type=click.Choice(list(presets.PRESETS)),
    default="ner",
    show_default=True,
    help="Defaults of a task: `candidates` makes all classes one and prefers recall.",
)
# How long, how much at once
@click.option("--epochs", type=click.IntRange(1), help=f"Passes over the data.  [default: {_DEFAULT.epochs}]")
@click.option("--max-steps", type=click.IntRange(1), help="Updates of the weights at most.")
@click.option(
    "--batch-size", type=click.IntRange(1), help=f"Sentences at once on a device.  [default: {_DEFAULT.batch_size}]"
)
@click.option(
    "--accumulation", type=click.IntRange(1), help=f"Such batches an update.  [default: {_DEFAULT.accumulation}]"
)
@click.option(
    "--evaluate-steps", type=click.IntRange(1), help="Updates between scorings and checkpoints.  [default: an epoch]"
)
@click.option(
    "--patience",
    type=click.IntRange(0),
    help=f"Scorings without a better one until training stops, 0 for never.  [default: {_DEFAULT.patience}]",
)
@click.option("--longest", type=click.IntRange(3), help="Most word pieces at once.  [default: what the model takes]")
@click.option("--bf16", is_flag=True, help="Compute in bfloat16.")
# Optimization
@click.option("--learning-rate", type=float, help=f"At its peak.  [default: {_DEFAULT.learning_rate}]")
@click.option("--schedule", type=click.Choice(list(SCHEDULES)), help=f"How it falls.  [default: {_DEFAULT.schedule}]")
@click.option("--warmup", type=float, help=f"Share of the updates in which it rises.  [default: {_DEFAULT.warmup}]")
@click.option("--weight-decay", type=float, help=f"Of AdamW.  [default: {_DEFAULT.weight_decay}]")
@click.option("--lora", is_flag=True, help="Train small matrices beside the weights (LoRA), in the end added to them.")
@click.option("--lora-rank", type=click.IntRange(1), default=_LORA.rank, show_default=True, help="Of these matrices.")
@click.option("--lora-alpha", type=float, default=_LORA.alpha, show_default=True, help="Their scale, times the rank.")
@click.option("--lora-dropout", type=float, default=_LORA.dropout, show_default=True, help="Before them.")
@click.option(
    "--lora-target",
    "lora_targets",
    multiple=True,
    help="Layers that get them; may be given again.  [default: all linear]",
)
# Loss
@click.option("--loss", type=click.Choice(list(LOSSES)), help=f"What is made small.  [default: {_DEFAULT.loss}]")
@click.option("--focal-gamma", type=float, help=f"Of the focal loss.  [default: {_DEFAULT.focal_gamma}]")
@click.option("--gce-q", type=float, help=f"Of the generalized cross-entropy.  [default: {_DEFAULT.gce_q}]")
@click.option(
    "--class-weights",
    multiple=True,
    metavar="balanced|CLASS=NUMBER",
    callback=_class_weights,
    help="Factors of the loss by class or label, 1 for others; may be given again.",
)
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
@click.option("--seed", type=click.IntRange(0), help=f"Of everything random.  [default: {_DEFAULT.seed}]")
@click.option("--seeds", help="Several, separated by commas: as many runs, their scores averaged.")
@click.option("--device", type=click.Choice(["auto", "cpu"]), default="auto", show_default=True, help="Where to train.")
@click.option("--resume/--no-resume", default=True, show_default=True, help="Go on with an interrupted run.")
@click.option("--keep-checkpoints", is_flag=True, help="Leave the checkpoints in the output's folder `checkpoints`.")
def command(
    training: tuple[str, ...],
    dev: str | None,
    tests: tuple[str, ...],
    format_: str | None,
    model: str,
    random_weights: bool,
    output: Path,
    preset: str,
    lora: bool,
    lora_rank: int,
    lora_alpha: float,
    lora_dropout: float,
    lora_targets: tuple[str, ...],
    row_weights: Any,
    min_margin: float | None,
    below_margin: Any,
    drop_incomplete: bool,
    seeds: str | None,
    device: str,
    resume: bool,
    keep_checkpoints: bool,
    **settings: Any,
) -> None:
    """Train a tagger of named entities on labelled sentences.

    The output is a model for `xner tag` and transformers, with its scores on the development and test data, the
    confusion of classes and the kinds of errors in `metrics.json`, and a card, `README.md`.
    """
    chosen = presets.PRESETS[preset]
    classes = {**chosen.classes, **take_classes(settings)}
    given = {name: value for name, value in settings.items() if value is not None and value is not False}
    if lora:
        given["lora"] = LoraSettings(lora_rank, lora_alpha, lora_dropout, lora_targets or _LORA.targets)
    if given.get("patience") == 0:
        given["patience"] = None
    wanted = TrainingSettings(**{**chosen.settings, **given})
    noise = NoiseOptions(row_weights, min_margin, below_margin, drop_incomplete)
    corpora = [_read(place, "train", format_) for place in training]
    development = None if dev is None else _read(dev, "validation", format_)
    judged = [_read(place, "test", format_) for place in tests]

    def run(seed: int, folder: Path) -> TrainingReport:
        return train(
            model,
            corpora,
            folder,
            development=development,
            tests=judged,
            settings=replace(wanted, seed=seed),
            noise=noise,
            classes=classes,
            random_weights=random_weights,
            device=device,
            resume=resume,
            keep_checkpoints=keep_checkpoints,
            progress=_show,
        )

    table = (run(wanted.seed, output) if seeds is None else train_seeds(_numbers(seeds), output, run)).table()
    if is_main_process():
        click.echo(table)
        click.echo(f"written to {output}", err=True)


def _numbers(seeds: str) -> list[int]:
    try:
        return [int(seed) for seed in seeds.split(",")]
    except ValueError:
        raise click.BadParameter(f"--seeds {seeds!r}: expected whole numbers separated by commas") from None


def _read(place: str, split: str, format: str | None) -> Corpus:
    """A file, or a split of a data set, `split` unless its name says which."""
    if (dataset := io.DatasetName.parse(place, split=split)) is not None:
        return Corpus(place, io.read_hugging_face(dataset))
    if not Path(place).is_file():
        raise Error(f"there is no file '{place}'")
    return Corpus(place, io.read(place, format))


def _show(moment: Moment) -> None:
    """A line of progress."""
    parts = [f"epoch {moment.epoch:.2f}", f"step {moment.step} of {moment.steps}", f"loss {moment.loss:.4f}"]
    if moment.development:
        figures = moment.development
        parts.append(
            f"dev F1 {figures['f1']:.3f} (precision {figures['precision']:.3f}, recall {figures['recall']:.3f})"
        )
    click.echo(", ".join(parts), err=True)
