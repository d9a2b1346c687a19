"""What the commands that train a tagger share: data to score on, the model, how it is trained, and runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xner import io
from xner._support.options import declared
from xner.cli.options.declared import declared_options
from xner.cli.options.groups import Group, GroupedOption
from xner.cli.options.inputs import FORMAT_NAMES
from xner.errors import Error, OptionError
from xner.io.hugging_face import DatasetName
from xner.io.layout import AS_TOLD, Layout
from xner.pipelines.tagging import TaggingOptions, classes_of
from xner.training.fine_tuning import is_main_process
from xner.training.noise import NoiseOptions
from xner.training.presets import TRAINING_PRESETS
from xner.training.run import Corpus
from xner.training.seeds import train_seeds
from xner.training.settings import LORA, LoraSettings, TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from xner.training.fine_tuning import Moment
    from xner.training.report import TrainingReport

__all__ = [
    "NewTagger",
    "Runs",
    "ScoringData",
    "data_group",
    "new_tagger_group",
    "noise_group",
    "read_corpus",
    "run_trainings",
    "runs_group",
    "seed_numbers",
    "settings_group",
    "show_moment",
]


class ScoringData:
    """Labelled sentences that a tagger is scored on, and how all files of a command are read.

    Attributes:
        classes: what classes become in all data.
        format: of the files; None goes by their names.
    """

    def __init__(
        self,
        dev: str | None,
        tests: tuple[str, ...],
        format_: str | None,
        class_map: tuple[str, ...],
        ignore_class: tuple[str, ...],
    ) -> None:
        self.classes = classes_of(class_map, ignore_class)
        self.format = format_
        self._dev = dev
        self._tests = tests

    def read(self, layout: Layout) -> dict[str, Any]:
        """What `train_on` takes of it.

        Args:
            layout: of the files.

        Raises:
            Error: a file that is not there or cannot be read.
        """
        read = partial(read_corpus, format=self.format, read=layout.read_tagged)
        return {
            "development": None if self._dev is None else read(self._dev, "validation"),
            "tests": [read(place, "test") for place in self._tests],
        }


@dataclass(frozen=True, slots=True)
class NewTagger:
    """What a tagger begins as, and where it goes.

    Attributes:
        model: to start from.
        random_weights: whether its configuration and tokenizer alone are taken.
        output: folder for the result.
    """

    model: str
    random_weights: bool
    output: Path


@dataclass(frozen=True, slots=True)
class Runs:
    """How often a tagger is trained, and where.

    Attributes:
        seed: of one run; None for the default.
        seeds: of several runs; None for one.
        options: for `train_on`.
    """

    seed: int | None
    seeds: list[int] | None
    options: dict[str, Any]


data_group = Group(
    [
        GroupedOption(
            ["--dev"], help="Labelled sentences that choose the best checkpoint and stop training early.", title="Data"
        ),
        GroupedOption(
            ["--test", "tests"],
            multiple=True,
            help="Labelled sentences to score the result on; may be given again.",
            title="Data",
        ),
        GroupedOption(
            ["--format", "format_"],
            type=click.Choice(FORMAT_NAMES),
            help="Format of the files; by default by name.",
            title="Data",
        ),
        *declared_options(TaggingOptions, only=["class_map", "ignore_class"], titles={"Tagger": "Data"}),
    ],
    ScoringData,
)
new_tagger_group = Group(
    [
        GroupedOption(
            ["--model"],
            required=True,
            help="Encoder to start from: name on the Hugging Face hub, or folder.",
        ),
        GroupedOption(["--random-weights"], is_flag=True, help="Take the model's configuration and tokenizer alone."),
        GroupedOption(
            ["--output", "-o"], type=click.Path(path_type=Path), required=True, help="Folder for the trained model."
        ),
    ],
    NewTagger,
)


# What says something beside development data alone.
_WITH_DEVELOPMENT = ("evaluate_steps", "patience", "f_beta")


def settings_group(
    defaults: Mapping[str, Any] | None = None, *, with_preset: bool = False, scores: bool = True
) -> Group[TrainingSettings]:
    """The fields of `TrainingSettings` but the seed.

    Args:
        defaults: for fields that are not given, where they differ from the class's own.
        with_preset: whether the command has an option `--preset` that says these.
        scores: whether the command has an option `--dev`, without which some of the fields say nothing.
    """

    def make(preset: str | None = None, dev: str | None = None, *, lora: bool, **values: Any) -> TrainingSettings:
        if scores and dev is None:
            for name in _WITH_DEVELOPMENT:
                if values[name] is not None:
                    raise OptionError(f"{name} goes with --dev, the labelled sentences that are scored meanwhile")
        others = defaults or {}
        if preset is not None:
            others = TRAINING_PRESETS[preset].settings
        of_lora = {name: values.pop(f"lora_{name}") for name in declared(LoraSettings)}
        given = {name: value for name, value in values.items() if value is not None and value != ()}
        changes = {name: value for name, value in of_lora.items() if value is not None and value != ()}
        if lora:
            given["lora"] = LoraSettings(**changes)
        elif changes:
            raise OptionError(f"lora_{next(iter(changes))} goes with --lora")
        return TrainingSettings(**{**others, **given})

    of_itself = declared_options(TrainingSettings, without=["seed", "lora"], defaults=defaults, told_alone=True)
    return Group(
        [
            *of_itself,
            GroupedOption(
                ["--lora"],
                is_flag=True,
                help="Train small matrices beside the weights, in the end added to them.",
                title=LORA,
            ),
            *declared_options(LoraSettings, prefix="lora_", told_alone=True),
        ],
        make,
        also=[*(["preset"] if with_preset else []), *(["dev"] if scores else [])],
    )


noise_group = Group(declared_options(NoiseOptions), NoiseOptions)


def _runs(seed: int | None, seeds: str | None, **options: Any) -> Runs:
    if seed is not None and seeds is not None:
        raise OptionError("seed and seeds: one of them says which runs there are")
    return Runs(seed, None if seeds is None else seed_numbers(seeds), options)


runs_group = Group(
    [
        *declared_options(TrainingSettings, only=["seed"], told_alone=True),
        GroupedOption(
            ["--seeds"], help="Several, separated by commas: as many runs, their scores averaged.", title="Runs"
        ),
        GroupedOption(
            ["--device"],
            type=click.Choice(["auto", "cpu"]),
            default="auto",
            show_default=True,
            help="Where to train.",
            title="Runs",
        ),
        GroupedOption(
            ["--resume/--no-resume"],
            default=True,
            show_default=True,
            help="Go on with an interrupted run.",
            title="Runs",
        ),
        GroupedOption(
            ["--keep-checkpoints"],
            is_flag=True,
            help="Leave the checkpoints in the output's folder `checkpoints`.",
            title="Runs",
        ),
    ],
    _runs,
)


def run_trainings(
    learn: Callable[..., TrainingReport], into: NewTagger, settings: TrainingSettings, runs: Runs, **options: Any
) -> None:
    """Train once or with each seed, and print the scores.

    Args:
        learn: trains into a folder; takes what else `train_on` does by name.
        into: the model to start from, and the folder.
        settings: how to train, but for the seed.
        runs: which seeds.
        **options: further ones of `train_on` that do not depend on the run.
    """

    def run(seed: int | None, folder: Path) -> TrainingReport:
        return learn(
            folder,
            settings=settings if seed is None else replace(settings, seed=seed),
            progress=partial(show_moment, prefix="" if runs.seeds is None else f"seed {seed}: "),
            random_weights=into.random_weights,
            **runs.options,
            **options,
        )

    report = run(runs.seed, into.output) if runs.seeds is None else train_seeds(runs.seeds, into.output, run)
    if is_main_process():
        click.echo(report.table())
        click.echo(f"written to {into.output}", err=True)


def seed_numbers(seeds: str, option: str = "--seeds") -> list[int]:
    """What `--seeds` says, or another option whose values are whole numbers."""
    try:
        return [int(seed) for seed in seeds.split(",")]
    except ValueError:
        raise click.BadParameter(f"{option} {seeds!r}: expected whole numbers separated by commas") from None


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
