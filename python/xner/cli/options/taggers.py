"""The taggers of commands that have other models as well: their options, and the steps that they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from xner.cli.options.decorators import with_options
from xner.cli.options.models import device_names, model_key
from xner.models.taggers.tagger import Tagger, TaggerStage
from xner.pipelines.recipes import Step, stage_step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xner.models.taggers.tagger import Role

__all__ = ["TaggerSettings", "class_options", "tagger_beside_options", "take_classes"]

F = TypeVar("F", bound="Callable[..., Any]")

_CLASS_OPTIONS = [
    click.option(
        "--class-map",
        multiple=True,
        metavar="OLD=NEW",
        help="Another name for a class; several may become one. May be given several times.",
    ),
    click.option(
        "--ignore-class",
        "ignored",
        multiple=True,
        metavar="CLASS",
        help="A class that becomes O. May be given several times.",
    ),
]
_BESIDE_OPTIONS = [
    click.option(
        "--tagger",
        metavar="MODEL",
        help="Name on the Hugging Face hub, or folder, of a token-classification model.",
    ),
    *_CLASS_OPTIONS,
]


def class_options(command: F) -> F:
    """Add `--class-map` and `--ignore-class` to a command; `take_classes` reads them."""
    return with_options(_CLASS_OPTIONS, command)


def tagger_beside_options(command: F) -> F:
    """Add the options of a tagger to a command that has other models as well."""
    return with_options(_BESIDE_OPTIONS, command)


def take_classes(values: dict[str, Any]) -> dict[str, str]:
    """Take `--class-map` and `--ignore-class` out of a command's values.

    Returns:
        New names by old ones, as `Tagger.load` takes them.

    Raises:
        click.BadParameter: a text that is not OLD=NEW.
    """
    classes = {}
    for text in values.pop("class_map"):
        old, equals, new = text.partition("=")
        if not (old and equals and new):
            raise click.BadParameter(f"{text!r} is not OLD=NEW", param_hint="--class-map")
        classes[old] = new
    return classes | dict.fromkeys(values.pop("ignored"), "O")


@dataclass(frozen=True, slots=True)
class TaggerSettings:
    """Which tagger is wanted.

    Attributes:
        model: name on the Hugging Face hub, or folder.
        classes: new names by old ones.
        device: as `Tagger.load` takes it.
    """

    model: str
    classes: dict[str, str]
    device: str | list[str]

    @classmethod
    def take(cls, values: dict[str, Any]) -> TaggerSettings | None:
        """Take the options of `tagger_beside_options` out of a command's values; `--device` stays.

        Returns:
            None where no tagger is named.

        Raises:
            click.UsageError: options of a tagger without one.
        """
        model, classes = values.pop("tagger"), take_classes(values)
        if model is None:
            if classes:
                raise click.UsageError("--class-map and --ignore-class go with --tagger")
            return None
        return cls(model, classes, device_names(values["device"]))

    def step(self, name: str, roles: Sequence[Role]) -> Step:
        """The step that tags.

        Args:
            name: of the step.
            roles: see `TaggerStage`.
        """
        key = [model_key(self.model), self.classes, self.device, list(roles)]
        return stage_step(name, self._load(roles), key=key)

    def _load(self, roles: Sequence[Role]) -> Callable[[], TaggerStage]:
        return lambda: TaggerStage(Tagger.load(self.model, classes=self.classes, device=self.device), roles)
