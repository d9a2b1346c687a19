"""The tagger of a pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xner._support.options import DeclaredOptions, Many, Text, When, option
from xner.errors import OptionError
from xner.models.network.device import device_names
from xner.models.taggers.catalogue import load_tagger
from xner.models.taggers.tagger import TaggerStage
from xner.pipelines.recipes import Step, step_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner.models.taggers.tagger import Role

__all__ = ["TaggingOptions", "classes_of"]

_WITH_TAGGER = When("tagger", lambda o: o.tagger is not None)
_GROUP = "Tagger"


def _renaming(text: str) -> tuple[str, str]:
    """The class that a text renames, and its new name."""
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise OptionError(f"class_map={text!r}: expected OLD=NEW")
    return old, new


@dataclass(frozen=True, slots=True)
class _Renaming(Text):
    """`OLD=NEW`."""

    metavar: str = "OLD=NEW"

    def check(self, name: str, value: object) -> str:
        text = Text.check(self, name, value)
        _renaming(text)
        return text


def classes_of(class_map: Sequence[str], ignore_class: Sequence[str]) -> dict[str, str]:
    """New names of classes by old ones, as `Tagger.load` takes them; those to be ignored become `O`.

    Raises:
        Error: a text of `class_map` that is not `OLD=NEW`.
    """
    renamed: dict[str, str] = {}
    for old, new in [*map(_renaming, class_map), *((name, "O") for name in ignore_class)]:
        if renamed.setdefault(old, new) != new:
            raise OptionError(f"class_map='{old}={new}': {old!r} becomes {renamed[old]!r} already")
    return renamed


@dataclass(frozen=True, slots=True)
class TaggingOptions(DeclaredOptions):
    """Which tagger a pipeline has, if any.

    Raises:
        Error: options of a tagger without one, or a class map that is none.
    """

    tagger: str | None = option(
        None,
        Text("MODEL"),
        "Name on the Hugging Face hub, or folder, of a token-classification model.",
        optional=True,
        group=_GROUP,
    )
    class_map: tuple[str, ...] = option(
        (),
        Many(_Renaming()),
        "Another name for a class; several may become one.",
        when=[_WITH_TAGGER],
        group=_GROUP,
    )
    ignore_class: tuple[str, ...] = option(
        (), Many(Text("CLASS")), "A class that becomes O.", when=[_WITH_TAGGER], group=_GROUP
    )
    tagger_device: str = option(
        "auto",
        Text("DEVICE"),
        "Where it computes: cpu, cuda, cuda:1, ...; several with commas.",
        when=[_WITH_TAGGER],
        group=_GROUP,
    )

    def step(self, name: str, roles: Sequence[Role]) -> Step:
        """The step that tags.

        Args:
            name: of the step.
            roles: see `TaggerStage`.
        """
        if self.tagger is None:
            raise OptionError("tagger is missing: the model that tags")
        classes = classes_of(self.class_map, self.ignore_class)
        tagger = load_tagger(self.tagger, classes=classes, device=device_names(self.tagger_device), lazily=True)
        return step_of(name, TaggerStage(tagger, roles))
