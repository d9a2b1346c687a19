"""Which data sets there are, and which part of one is wanted, on the command line."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from xner.cli.options.groups import Group, GroupedOption
from xner.cli.options.inputs import existing_file
from xner.io.datasets.catalogue import DATASETS, Catalogue, read_catalogue

__all__ = ["HUB", "UNKNOWN", "Part", "announce", "catalogue_group", "part_group"]

HUB = "hub"
UNKNOWN = "not known"


def _catalogue(catalogue: Path | None) -> Catalogue:
    return DATASETS if catalogue is None else read_catalogue(catalogue)


catalogue_group = Group(
    [
        GroupedOption(
            ["--catalogue"],
            type=existing_file,
            help="A TOML file that describes other data sets, beside those that are built in.",
        )
    ],
    _catalogue,
)
"""Data sets by name."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is wanted of a data set.

    Attributes:
        languages: by its own names or FLORES-200's codes; empty for the only one.
        splits: empty for all.
        folder: that has the files; None for the hub.
        ignore_counts: whether a split may be of another size than is known.
        yes: whether to load from the hub without a question.
    """

    languages: tuple[str, ...]
    splits: tuple[str, ...]
    folder: Path | None
    ignore_counts: bool
    yes: bool


def _part(language: tuple[str, ...], split: tuple[str, ...], from_: str, ignore_counts: bool, yes: bool) -> Part:
    return Part(
        tuple(dict.fromkeys(language)),
        tuple(dict.fromkeys(split)),
        None if from_ == HUB else Path(from_),
        ignore_counts,
        yes,
    )


part_group = Group(
    [
        GroupedOption(
            ["--language"],
            multiple=True,
            help="A language, by the data set's own name or as yor_Latn; may be given several times.",
        ),
        GroupedOption(
            ["--split"],
            multiple=True,
            help="train, validation or test; may be given several times.  [default: all that the data set has]",
        ),
        GroupedOption(
            ["--from", "from_"],
            metavar=f"FOLDER|{HUB}",
            default=HUB,
            show_default=True,
            help="Where the files are: a folder or a clone of a repository, as `show` tells, or the Hugging Face hub.",
        ),
        GroupedOption(
            ["--ignore-counts"], is_flag=True, help="Take a split of another size than is known, which is an error."
        ),
        GroupedOption(["--yes"], is_flag=True, help="Load from the hub without a question, the licence being known."),
    ],
    _part,
)
"""A `Part`."""


def announce(name: str, catalogue: Catalogue, folder: Path | str | None, *, yes: bool) -> None:
    """Say what a download is, and ask; nothing where there is none.

    Args:
        name: of the data set, or `hf:NAME`.
        catalogue: data sets by name.
        folder: that has the files; None for the hub.
        yes: whether the answer is known.

    Raises:
        click.UsageError: there is nobody to ask, and no --yes.
        click.ClickException: the answer is no.
    """
    dataset = catalogue.get(name)
    if folder is not None or (dataset is None and not name.startswith("hf:")):
        return
    if dataset is not None and dataset.hub is None:
        ways = " or ".join(one.where for one in dataset.files)
        raise click.UsageError(f"'{name}' is not on the hub; give --from FOLDER: {ways}")
    place = name.removeprefix("hf:")
    if dataset is not None and dataset.hub is not None:
        texts = dataset.hub.texts
        place = dataset.hub.name if texts is None else f"{dataset.hub.name} and {texts.name}"
    size = dataset.download if dataset is not None and dataset.download else UNKNOWN
    licence = dataset.licence if dataset is not None and dataset.licence else UNKNOWN
    click.echo(f"from the hub: {place}", err=True)
    click.echo(f"size: {size}", err=True)
    click.echo(f"licence: {licence}", err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"--yes loads '{place}' from the hub, under this licence")
    if not click.confirm("Load it?", err=True):
        raise click.ClickException("nothing was loaded")
