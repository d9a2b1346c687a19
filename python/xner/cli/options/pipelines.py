"""Commands that translate before they project: their options, and the directions of translation."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from xner.cli.options.aligners import BUILTIN
from xner.cli.options.decorators import with_options
from xner.cli.options.translators import TranslatorSettings, translator_beside_options
from xner.pipelines.recipes import Direction
from xner.text.languages import language
from xner.text.word_splitting import SPLITTERS
from xner.translation.markers import STYLES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Pipeline", "back_markers_option", "broken_option", "markers_option", "pipeline_options"]

F = TypeVar("F", bound="Callable[..., Any]")

_OPTIONS = [
    translator_beside_options,
    click.option(
        "--words",
        type=click.Choice(list(SPLITTERS)),
        help="How translations are split into words; by default as suits the language.",
    ),
    click.option(
        "--keep-bad",
        is_flag=True,
        help="Use translations that are cut, repeat themselves or copy the source; else their rows are empty.",
    ),
    click.option(
        "--steps",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder in which the output of each step is kept, and from which it is taken as long as nothing that "
        "decides it has changed.  [default: OUTPUT.steps]",
    ),
]

_OWN = ("words", "keep_bad", "steps")
_GIVEN = (click.core.ParameterSource.COMMANDLINE, click.core.ParameterSource.DEFAULT_MAP)

markers_option = click.option(
    "--markers",
    type=click.Choice(list(STYLES)),
    help="Put markers around the entities that are translated, and read them off the translation.",
)
broken_option = click.option(
    "--broken-markers",
    type=click.Choice(["align", "drop"]),
    default="align",
    show_default=True,
    help="Sentences whose markers broke are translated without any and aligned, or dropped.",
)
back_markers_option = click.option(
    "--markers",
    type=click.Choice(list(STYLES)),
    default="brackets",
    show_default=True,
    help="What stands around entities when they are translated back.",
)


def pipeline_options(command: F) -> F:
    """Add the options of translation within a pipeline to a command; `Pipeline.take` gathers their values."""
    return with_options(_OPTIONS, command)


class Pipeline:
    """How a pipeline translates.

    Attributes:
        words: how translations are split, None for what suits the language.
        keep_bad: whether bad translations are used.
        steps: the folder of the steps' outputs.
    """

    def __init__(self, settings: TranslatorSettings, words: str | None, *, keep_bad: bool, steps: Path) -> None:
        """Use `Pipeline.take`."""
        self.words = words
        self.keep_bad = keep_bad
        self.steps = steps
        self._settings = settings
        self._load = cache(settings.load)

    @classmethod
    def take(cls, values: dict[str, Any], languages: tuple[str, str]) -> Pipeline:
        """Take the options of translation out of a command's values, and tell the aligners the languages.

        Args:
            values: of all options by name, those of the aligners among them.
            languages: of the labelled side, and of the side to be labelled.

        Raises:
            click.UsageError: no translation model is named.
            Error: an unknown language.
        """
        settings = TranslatorSettings.take_beside(values)
        words, keep_bad, steps = (values.pop(name) for name in _OWN)
        codes = [language(one).code for one in languages]
        has_encoder = set(values["aligners"]) - {BUILTIN}
        values |= dict(zip(("source_language", "target_language"), codes if has_encoder else (None, None), strict=True))
        output: Path = values["output"]
        folder = steps or output.with_name(f"{output.name}.steps")
        return cls(settings, words, keep_bad=keep_bad, steps=folder)

    @staticmethod
    def refuse(context: click.Context, values: dict[str, Any], needed: str) -> None:
        """Take the options of translation out of the values of a command that does not translate this time.

        Args:
            context: of the command.
            values: of all options by name.
            needed: the option that would make it translate.

        Raises:
            click.UsageError: one of them was given.
        """
        for name in ("translator", "engine", "translator_dtype", "beams", "length_ratio", "cache", *_OWN):
            values.pop(name)
            if context.get_parameter_source(name) in _GIVEN:
                raise click.UsageError(f"--{name.replace('_', '-')} goes with {needed}")

    def direction(self, source_language: str, target_language: str) -> Direction:
        """The translator from one language into another; the model is loaded once for all."""
        settings = self._settings
        return Direction(self._load, source_language, target_language, key=settings.key, cache=settings.cache)
