"""The options of commands that end in projection; each is handed a `Pipeline`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from xner import io
from xner.cli.options.declared import declared_options
from xner.cli.options.groups import Group, GroupedOption
from xner.cli.options.inputs import (
    FORMAT_NAMES,
    OUTPUT_FORMAT_HELP,
    STANDARD_OUTPUT,
    InputFile,
    OutputFile,
    existing_file,
    existing_files,
    is_said_to_be_folder,
    output_file,
    output_file_or_folder,
    overwrites,
)
from xner.errors import Error, OptionError
from xner.io.pairs import Pairs
from xner.pipelines.engines import engine_of
from xner.pipelines.projection_run import Pipeline
from xner.pipelines.run_options import PARTS, RunOptions
from xner.pipelines.shards import CountsT, project_into_one, project_shards, run_into_one, run_shards, shards_of
from xner.translation.markers import STYLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from xner.io.labelled_file import LabelledFile
    from xner.pipelines.engines import Engine, EngineName
    from xner.pipelines.shards import Shard

__all__ = [
    "Output",
    "back_markers_option",
    "engine_group",
    "is_folder",
    "kind_of_files",
    "markers_option",
    "output_group",
    "pipeline_group",
    "resume_option",
    "run",
    "run_files",
    "scores_of_shards_option",
    "scores_option",
    "shards_group",
    "steps_option",
]

F = TypeVar("F", bound="Callable[..., Any]")


def pipeline_group(*, without: Iterable[str] = ()) -> Group[Pipeline]:
    """The options of a pipeline, but for some."""
    left_out = tuple(without)
    options = [option for part in PARTS for option in declared_options(part, without=left_out)]

    def make(**values: Any) -> Pipeline:
        if values.get("tagger") is None:  # then they are for files: see `layouts`
            values.pop("class_map", None)
            values.pop("ignore_class", None)
        return Pipeline(**values)

    # Those that are about no method in particular come first.
    return Group(sorted(options, key=lambda option: bool(getattr(option, "title", ""))), make)


def _engine(engine: EngineName, address: str | None) -> AbstractContextManager[Engine]:
    RunOptions(engine=engine, address=address)  # that they go together
    return engine_of(engine, address)


engine_group: Group[AbstractContextManager[Engine]] = Group(
    declared_options(RunOptions, only=["engine", "address"]), _engine
)
"""Where pieces are worked on; for commands that are no pipelines."""


class Output:
    """Where a pipeline writes.

    Attributes:
        path: the file.
        format: None goes by its name.
        resume: whether to take up what earlier runs have left.
        save_aligner: where the built-in aligner is to be saved.
    """

    def __init__(self, output: Path, format_: str | None, save_aligner: Path | None, *, resume: bool) -> None:
        self.path = output
        self.format = format_
        self.save_aligner = save_aligner
        self.resume = resume

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, or is said to be one by a slash behind its name."""
        return is_folder(self.path)

    @property
    def names_format(self) -> bool:
        """Whether its name is that of a file of some format, or it is standard output."""
        return names_format(self.path)


def is_folder(path: Path) -> bool:
    """Whether an output is a folder, or is said to be one by a slash behind its name."""
    return path.is_dir() or is_said_to_be_folder(path)


def names_format(path: Path) -> bool:
    """Whether an output's name is that of a file of some format, or it is standard output."""
    if path.name == STANDARD_OUTPUT:
        return True
    try:
        io.format_of(path)
    except Error:
        return False
    return True


def kind_of_files(output: Path, format_: str | None, *, of_folders: str) -> str:
    """The format of what several files become.

    Args:
        output: a file or a folder.
        format_: that is named; None goes by the file's name.
        of_folders: that of a folder's files, where none is named.
    """
    return format_ or (of_folders if is_folder(output) or not names_format(output) else io.format_of(output))


def run_files(
    shards: Sequence[Shard[CountsT]], output: Path, kind: str, *, signature: str, counts: CountsT, resume: bool
) -> CountsT:
    """Make several files, into a folder or, where the output's name tells a format, into one.

    Args:
        shards: the files.
        output: the folder, or the file.
        kind: their format.
        signature: as for `run_shards`, as are the others.
        counts: likewise.
        resume: likewise.

    Raises:
        click.UsageError: options that do not go together.
    """
    how: Any = {"signature": signature, "resume": resume, "told": partial(click.echo, err=True)}
    try:
        if is_folder(output) or not names_format(output):
            return run_shards(shards, output, counts=counts, overwrite=overwrites(), **how)
        return run_into_one(shards, output, kind, counts=counts, **how)
    except OptionError as error:
        raise click.UsageError(str(error)) from None


def _outputs(kind: OutputFile, what: str) -> Group[Output]:
    options = [
        GroupedOption(["--output", "-o"], type=kind, required=True, help=what),
        GroupedOption(
            ["--format", "format_"],
            type=click.Choice(FORMAT_NAMES),
            help=OUTPUT_FORMAT_HELP,
        ),
        GroupedOption(
            ["--save-aligner"], type=output_file, help="Where to save the built-in aligner.", title="Alignment"
        ),
        GroupedOption(
            ["--resume/--no-resume"],
            default=True,
            show_default=True,
            help="Go on from an interrupted run's finished parts, and take steps that are kept.",
        ),
    ]
    return Group(options, Output)


output_group = _outputs(output_file, "Labelled target sentences.")
shards_group = _outputs(
    output_file_or_folder,
    "Labelled target sentences. Of several files: one file, if its name tells a format, else a folder, which says in "
    "manifest.json what is there. A slash behind it says that it is a folder.",
)


def _scores_of(kind: InputFile) -> Callable[[F], F]:
    return click.option(
        "--scores",
        cls=GroupedOption,
        type=kind,
        multiple=True,
        help="A file with columns that scores need, row by row (Parquet, Arrow, JSONL): ner_probabilities for ner and "
        "ner_spans, nmt_scores for nmt (`xner score nmt` makes them), hints. May be given several times; the target "
        "file may have them as well.",
        title="Scores",
    )


scores_option = _scores_of(existing_file)
scores_of_shards_option = _scores_of(existing_files)

steps_option = click.option(
    "--steps",
    cls=GroupedOption,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder in which the output of each step is kept, and from which it is taken as long as nothing that "
    "decides it has changed.  [default: OUTPUT.steps]",
    title="Translation",
)


resume_option = click.option(
    "--resume/--no-resume",
    default=True,
    show_default=True,
    help="Go on from an interrupted run's finished parts.",
)


# How `xner translate` and what translates back mark entities.
markers_option = click.option(
    "--markers",
    type=click.Choice(["auto", *STYLES]),
    help="Put markers around the entities that are translated, and read them off the translation; auto tries every "
    "style on 50 labelled sentences, and takes the one that comes back whole most often.",
)
back_markers_option = click.option(
    "--markers",
    cls=GroupedOption,
    type=click.Choice(["auto", *STYLES]),
    default="brackets",
    show_default=True,
    help="What stands around entities when they are translated back; auto tries every style on 50 sentences.",
    title="Translation",
)


def run(pipeline: Pipeline, table: pa.Table | Pairs | LabelledFile, output: Output, **how: Any) -> None:
    """Run a pipeline, and say what it has done.

    Args:
        pipeline: of the command's options.
        table: what it reads.
        output: where it writes.
        **how: further arguments of `Pipeline.run`.

    Raises:
        click.UsageError: options that do not go with each other or with the table.
    """
    common: Any = {"format": output.format, "resume": output.resume, "told": partial(click.echo, err=True)}
    try:
        shards = shards_of(table) if isinstance(table, Pairs) else None
        if shards is None and isinstance(table, Pairs) and output.is_folder:
            shards = [table]
        if shards is not None and output.save_aligner is not None:
            raise click.UsageError(
                "--save-aligner goes with a source that is one file; `xner align --save-aligner` fits one, for "
                "--aligner-model"
            )
        if shards is None:
            done = pipeline.run(table, output.path, save_aligner=output.save_aligner, **common, **how)
        elif output.is_folder or not output.names_format:
            done = project_shards(pipeline, shards, output.path, overwrite=overwrites(), **common)
        else:
            done = project_into_one(pipeline, shards, output.path, **common)
    except OptionError as error:
        raise click.UsageError(str(error)) from None
    for line in done.lines():
        click.echo(line, err=True)
