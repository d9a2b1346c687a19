"""What the commands that train a tagger share: data to score on, the model, how it is trained, and runs."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from xner import io
from xner.cli.options.decorators import with_options
from xner.cli.options.inputs import FORMAT_NAMES
from xner.errors import Error
from xner.io.hugging_face import DatasetName
from xner.io.layout import AS_TOLD, Layout
from xner.training.fine_tuning import is_main_process
from xner.training.losses import LOSSES
from xner.training.presets import DISTILLATION
from xner.training.run import Corpus
from xner.training.seeds import train_seeds
from xner.training.settings import CLASS_WEIGHTS, SCHEDULES, LoraSettings, TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from xner.training.fine_tuning import Moment
    from xner.training.report import TrainingReport

__all__ = [
    "Training",
    "data_options",
    "model_options",
    "read_corpus",
    "run_options",
    "seed_numbers",
    "settings_options",
    "show_moment",
    "take_settings",
]

F = TypeVar("F", bound="Callable[..., Any]")

_DEFAULT = TrainingSettings()
_LORA = LoraSettings()


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


_DATA_OPTIONS = [
    click.option("--dev", help="Labelled sentences that choose the best checkpoint and stop training early."),
    click.option(
        "--test", "tests", multiple=True, help="Labelled sentences to score the result on; may be given again."
    ),
    click.option(
        "--format", "format_", type=click.Choice(FORMAT_NAMES), help="Format of the files; by default by name."
    ),
    click.option(
        "--class-map",
        multiple=True,
        metavar="OLD=NEW",
        help="Another name for a class in all data, `*` for all that are not named. May be given several times.",
    ),
    click.option(
        "--ignore-class",
        multiple=True,
        metavar="CLASS",
        help="A class of the data that becomes O. May be given several times.",
    ),
]
_MODEL_OPTIONS = [
    click.option("--model", required=True, help="Encoder to start from: name on the Hugging Face hub, or folder."),
    click.option("--random-weights", is_flag=True, help="Take the model's configuration and tokenizer alone."),
    click.option(
        "--output", "-o", type=click.Path(path_type=Path), required=True, help="Folder for the trained model."
    ),
]
_SETTINGS_OPTIONS = [
    # How long, how much at once
    click.option("--epochs", type=click.IntRange(1), help=f"Passes over the data.  [default: {_DEFAULT.epochs}]"),
    click.option("--max-steps", type=click.IntRange(1), help="Updates of the weights at most."),
    click.option(
        "--batch-size", type=click.IntRange(1), help=f"Sentences at once on a device.  [default: {_DEFAULT.batch_size}]"
    ),
    click.option(
        "--accumulation", type=click.IntRange(1), help=f"Such batches an update.  [default: {_DEFAULT.accumulation}]"
    ),
    click.option(
        "--evaluate-steps",
        type=click.IntRange(1),
        help="Updates between scorings and checkpoints.  [default: an epoch]",
    ),
    click.option(
        "--patience",
        type=click.IntRange(0),
        help=f"Scorings without a better one until training stops, 0 for never.  [default: {_DEFAULT.patience}]",
    ),
    click.option(
        "--longest", type=click.IntRange(3), help="Most word pieces at once.  [default: what the model takes]"
    ),
    click.option("--bf16", is_flag=True, help="Compute in bfloat16."),
    # Optimization
    click.option("--learning-rate", type=float, help=f"At its peak.  [default: {_DEFAULT.learning_rate}]"),
    click.option(
        "--schedule", type=click.Choice(list(SCHEDULES)), help=f"How it falls.  [default: {_DEFAULT.schedule}]"
    ),
    click.option("--warmup", type=float, help=f"Share of the updates in which it rises.  [default: {_DEFAULT.warmup}]"),
    click.option("--weight-decay", type=float, help=f"Of AdamW.  [default: {_DEFAULT.weight_decay}]"),
    click.option(
        "--lora", is_flag=True, help="Train small matrices beside the weights (LoRA), in the end added to them."
    ),
    click.option(
        "--lora-rank", type=click.IntRange(1), default=_LORA.rank, show_default=True, help="Of these matrices."
    ),
    click.option(
        "--lora-alpha", type=float, default=_LORA.alpha, show_default=True, help="Their scale, times the rank."
    ),
    click.option("--lora-dropout", type=float, default=_LORA.dropout, show_default=True, help="Before them."),
    click.option(
        "--lora-target",
        "lora_targets",
        multiple=True,
        help="Layers that get them; may be given again.  [default: all linear]",
    ),
    # Loss
    click.option(
        "--loss",
        type=click.Choice(list(LOSSES)),
        help="What is made small; mse and kl compare probabilities.  "
        f"[default: {_DEFAULT.loss}, for students {DISTILLATION.settings['loss']}]",
    ),
    click.option("--focal-gamma", type=float, help=f"Of the focal loss.  [default: {_DEFAULT.focal_gamma}]"),
    click.option("--gce-q", type=float, help=f"Of the generalized cross-entropy.  [default: {_DEFAULT.gce_q}]"),
    click.option(
        "--temperature",
        type=float,
        help=f"Of kl: above 1, small probabilities count more.  [default: {_DEFAULT.temperature}]",
    ),
    click.option(
        "--class-weights",
        multiple=True,
        metavar="balanced|CLASS=NUMBER",
        callback=_class_weights,
        help="Factors of the loss by class or label, 1 for others; may be given again.",
    ),
]
_RUN_OPTIONS = [
    click.option("--seed", type=click.IntRange(0), help=f"Of everything random.  [default: {_DEFAULT.seed}]"),
    click.option("--seeds", help="Several, separated by commas: as many runs, their scores averaged."),
    click.option(
        "--device", type=click.Choice(["auto", "cpu"]), default="auto", show_default=True, help="Where to train."
    ),
    click.option("--resume/--no-resume", default=True, show_default=True, help="Go on with an interrupted run."),
    click.option(
        "--keep-checkpoints", is_flag=True, help="Leave the checkpoints in the output's folder `checkpoints`."
    ),
]


def data_options(command: F) -> F:
    """Add what the trained tagger is scored on, the files' format, and `--class-map` and `--ignore-class`."""
    return with_options(_DATA_OPTIONS, command)


def model_options(command: F) -> F:
    """Add the model to start from, and the output."""
    return with_options(_MODEL_OPTIONS, command)


def settings_options(command: F) -> F:
    """Add the fields of `TrainingSettings`, but for the seed."""
    return with_options(_SETTINGS_OPTIONS, command)


def run_options(command: F) -> F:
    """Add seeds, the device, and what becomes of checkpoints."""
    return with_options(_RUN_OPTIONS, command)


@dataclass(frozen=True, slots=True)
class Training:
    """What the options that are shared say. Make one with `Training.take`.

    Attributes:
        model: to start from.
        output: folder for the result.
        settings: how to train, but for the seed where there are several.
        seeds: of several runs; None for one.
        options: of `train_on` that do not depend on the run.
    """

    model: str
    output: Path
    settings: TrainingSettings
    seeds: list[int] | None
    options: dict[str, Any]

    @classmethod
    def take(cls, values: dict[str, Any], *, defaults: Mapping[str, Any], layout: Layout = AS_TOLD) -> Training:
        """Take the options of `data_options`, less the classes, `model_options`, `settings_options` and `run_options`.

        Args:
            values: of all options by name.
            defaults: fields of `TrainingSettings` for options that are not given.
            layout: of the files.

        Raises:
            Error: a file that is not there or cannot be read; a setting without meaning.
        """
        settings = take_settings(values, defaults)
        format_, dev, tests, seeds = (values.pop(name) for name in ("format_", "dev", "tests", "seeds"))
        options = {name: values.pop(name) for name in ("random_weights", "device", "resume", "keep_checkpoints")}
        options["development"] = (
            None if dev is None else read_corpus(dev, "validation", format_, read=layout.read_tagged)
        )
        options["tests"] = [read_corpus(place, "test", format_, read=layout.read_tagged) for place in tests]
        numbers = None if seeds is None else seed_numbers(seeds)
        return cls(values.pop("model"), values.pop("output"), settings, numbers, options)

    def run(self, learn: Callable[..., TrainingReport]) -> None:
        """Train once or with each seed, and print the scores.

        Args:
            learn: trains into a folder; takes what else `train_on` does by name, and `development` and `tests` as
                corpora.
        """

        def run(seed: int, folder: Path) -> TrainingReport:
            show = partial(show_moment, prefix="" if self.seeds is None else f"seed {seed}: ")
            return learn(folder, settings=replace(self.settings, seed=seed), progress=show, **self.options)

        if self.seeds is None:
            table = run(self.settings.seed, self.output).table()
        else:
            table = train_seeds(self.seeds, self.output, run).table()
        if is_main_process():
            click.echo(table)
            click.echo(f"written to {self.output}", err=True)


def take_settings(values: dict[str, Any], defaults: Mapping[str, Any]) -> TrainingSettings:
    """Take the options of `settings_options` out of a command's values, and the seed where it is there."""
    names = {field.name for field in fields(TrainingSettings)} & set(values)
    found = {name: values.pop(name) for name in names}
    given = {name: value for name, value in found.items() if value is not None and value is not False}
    lora = {name: values.pop(f"lora_{name}") for name in ("rank", "alpha", "dropout", "targets")}
    if "lora" in given:
        given["lora"] = LoraSettings(**(lora | {"targets": lora["targets"] or _LORA.targets}))
    if given.get("patience") == 0:
        given["patience"] = None
    return TrainingSettings(**{**defaults, **given})


def seed_numbers(seeds: str) -> list[int]:
    """What `--seeds` says."""
    try:
        return [int(seed) for seed in seeds.split(",")]
    except ValueError:
        raise click.BadParameter(f"--seeds {seeds!r}: expected whole numbers separated by commas") from None


def read_corpus(
    place: str, split: str, format: str | None, *, read: Callable[[Path, str | None], pa.Table] = AS_TOLD.read_tagged
) -> Corpus:
    """A file, or a split of a data set, `split` unless its name says which.

    Args:
        place: the file's or the data set's name.
        split: of a data set.
        format: of a file; None goes by its name.
        read: reads a file.

    Raises:
        Error: there is no such file or data set.
    """
    if (dataset := DatasetName.parse(place, split=split)) is not None:
        return Corpus(place, io.read_hugging_face(dataset))
    if not Path(place).is_file():
        raise Error(f"there is no file '{place}'")
    return Corpus(place, read(Path(place), format))


def show_moment(moment: Moment, prefix: str = "") -> None:
    """A line of progress."""
    parts = [f"epoch {moment.epoch:.2f}", f"step {moment.step} of {moment.steps}", f"loss {moment.loss:.4f}"]
    if moment.development:
        figures = moment.development
        parts.append(
            f"dev F1 {figures['f1']:.3f} (precision {figures['precision']:.3f}, recall {figures['recall']:.3f})"
        )
    click.echo(prefix + ", ".join(parts), err=True)
