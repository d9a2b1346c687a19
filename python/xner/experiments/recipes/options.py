"""What a recipe says of its data, its links and its evaluation, each option declared once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

from xner._support.options import Choice, DeclaredOptions, Flag, Many, Number, ReadFile, Text, When, Whole, option
from xner._support.toml_tables import pattern_problem
from xner.errors import OptionError
from xner.evaluation.entities import Mode

__all__ = ["FIELDS", "DataOptions", "EvaluationOptions", "LinksOptions"]

FIELDS: Final = ("source", "target", "dataset", "split")
"""The fields that patterns of files may have: names of both languages, of the data set and of its split."""

_LANGUAGE = re.compile(r"[\w-]+")

_BY_NAME = When("dataset, the name of a data set", lambda o: o.dataset is not None)
_BY_PATH = When("data by path, without the name of a data set", lambda o: o.dataset is None)
_WITH_FILES = When("ready links, whose files are named", lambda o: bool(o.files))


@dataclass(frozen=True, slots=True)
class _Pattern(Text):
    """The path of a file, with fields that each pair of languages fills in."""

    metavar: str = "PATTERN"

    def check(self, name: str, value: object) -> str:
        """See `Kind`."""
        if not isinstance(value, str) or not value:
            raise OptionError(f"{name}={value!r}: expected a path, in which {_shown(FIELDS)} may stand")
        if problem := pattern_problem(value, FIELDS):
            raise OptionError(f"{name}={problem}")
        return value


@dataclass(frozen=True, slots=True)
class _Names:
    """Names, each once; as a text with commas between them."""

    metavar: str = "NAME,..."

    def check(self, name: str, value: Any) -> tuple[str, ...]:
        """See `Kind`."""
        values = [one.strip() for one in value.split(",")] if isinstance(value, str) else value
        if not isinstance(values, Iterable):
            raise OptionError(f"{name}={value!r}: expected names")
        found = tuple(dict.fromkeys(values))
        if not all(isinstance(one, str) and one for one in found):
            raise OptionError(f"{name}={value!r}: expected names")
        return found

    def parse(self, name: str, text: str) -> tuple[str, ...]:
        """See `Kind`."""
        return self.check(name, text)

    def to_text(self, value: tuple[str, ...]) -> str:
        """See `Kind`."""
        return ",".join(value)


def _shown(fields: Collection[str]) -> str:
    return ", ".join(f"{{{one}}}" for one in fields)


@dataclass(frozen=True, slots=True)
class DataOptions(DeclaredOptions):
    """Which sentences a recipe runs on.

    Raises:
        Error: a value is none of its kind, or says nothing beside the others.
    """

    dataset: str | None = option(
        None,
        Text("NAME"),
        "A data set of `xner datasets list`: a parallel one, or one that is translated.",
        optional=True,
        group="Data",
    )
    folder: str | None = option(
        None,
        Text("FOLDER"),
        "Where its files are, as `xner datasets show` tells.",
        when=[_BY_NAME],
        optional=True,
        default_text="the Hugging Face hub",
        flags=["--data"],
        group="Data",
    )
    catalogue: str | None = option(
        None,
        ReadFile(),
        "A TOML file that describes other data sets.",
        when=[_BY_NAME],
        optional=True,
        group="Data",
    )
    split: str | None = option(
        None,
        Text("SPLIT"),
        "Which part: train, validation or test.",
        when=[_BY_NAME],
        optional=True,
        default_text="test, or train of what is translated; the only one",
        group="Data",
    )
    languages: tuple[str, ...] = option(
        (),
        _Names(),
        "Target languages, by the data set's own names or FLORES-200's codes.",
        default_text="all that have another side",
        group="Data",
    )
    source: str | None = option(
        None,
        _Pattern(),
        "In place of a data set: the file of labelled sentences, by a pattern.",
        when=[_BY_PATH],
        optional=True,
        group="Data",
    )
    target: str | None = option(
        None,
        _Pattern(),
        "Their translations, row by row, likewise; labels there count as gold.",
        when=[_BY_PATH],
        optional=True,
        group="Data",
    )
    training_split: str = option(
        "train",
        Text("SPLIT"),
        "Which part a tagger learns from, where one is trained.",
        when=[_BY_NAME],
        group="Data",
    )
    training_source: str | None = option(
        None,
        _Pattern(),
        "In place of a data set, where a tagger is trained: the file of the labelled sentences that it learns from, "
        "or whose labels are projected for it.",
        when=[_BY_PATH],
        optional=True,
        group="Data",
    )
    training_target: str | None = option(
        None,
        _Pattern(),
        "Likewise the target sentences: translations of the labelled ones, or those that a teacher labels, or gold.",
        when=[_BY_PATH],
        optional=True,
        group="Data",
    )
    source_language: str = option(
        "en",
        Text("LANGUAGE"),
        "The labelled language, of files by path, and of a data set that is translated.",
        group="Data",
    )
    ignore_counts: bool = option(
        False,
        Flag(),
        "Take a split of another size than is known, which is an error.",
        when=[_BY_NAME],
        group="Data",
    )

    @property
    def for_training(self) -> DataOptions:
        """The data that a tagger learns from, in place of those that it labels."""
        if self.dataset is not None:
            return replace(self, split=self.training_split)
        return replace(self, source=self.training_source, target=self.training_target)

    def check_together(self) -> None:
        """Languages name files."""
        for one in self.languages:
            if not _LANGUAGE.fullmatch(one):
                raise OptionError(f"languages={one!r}: a language's name has letters, digits, - and _ alone")


@dataclass(frozen=True, slots=True)
class LinksOptions(DeclaredOptions):
    """Word links that are there already; without, the pipeline's options say who aligns.

    Raises:
        Error: a value is none of its kind, or says nothing beside the others.
    """

    files: tuple[str, ...] = option(
        (),
        Many(_Pattern()),
        "Ready word links: a file in Pharaoh format, or with a column of them, by a pattern as "
        "'links.{source}-{target}.pharaoh'. Several are combined, with each other and with those of an aligner that is "
        "named.",
        flags=["--links"],
        group="Links",
    )
    one_based: bool = option(False, Flag(), "The files count words from 1.", when=[_WITH_FILES], group="Links")
    reverse: bool = option(False, Flag(), "The files say target-source.", when=[_WITH_FILES], group="Links")


@dataclass(frozen=True, slots=True)
class EvaluationOptions(DeclaredOptions):
    """How labels are compared with gold ones, where there are some.

    Raises:
        Error: a value is none of its kind.
    """

    mode: Mode = option("lenient", Choice(get_args(Mode)), "How labels are read.", group="Evaluation")
    ignore: tuple[str, ...] = option((), _Names(), "Classes that do not count.", group="Evaluation")
    samples: int = option(
        1000, Whole(1), "Resamples of the sentences, for intervals.", flags=["--bootstrap"], group="Evaluation"
    )
    seed: int = option(1, Whole(0), "Of the resamples.", group="Evaluation")
    confidence: float = option(
        0.95, Number(positive=True, below=1), "Share of the resamples within an interval.", group="Evaluation"
    )
