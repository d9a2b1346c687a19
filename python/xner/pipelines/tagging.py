"""The tagger of a pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xner._support.options import DeclaredOptions, Many, Number, Text, When, declared, option
from xner.errors import OptionError
from xner.models.network.device import device_names
from xner.models.taggers.catalogue import load_tagger, tagger_name, takes_options_of
from xner.models.taggers.tagger import TaggerStage
from xner.pipelines.recipes import Step, step_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner.models.taggers.tagger import Role

__all__ = ["TaggingOptions", "classes_of"]

_WITH_TAGGER = When("tagger", lambda o: o.tagger is not None)
_WITH_ASKED = When(
    "a tagger that is asked for classes: gliner:MODEL",
    lambda o: o.tagger is not None and takes_options_of(o.tagger, "classes"),
)
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


@dataclass(frozen=True, slots=True)
class _Names:
    """Names of classes, which may hold blanks."""

    metavar: str = "NAME,..."

    def check(self, name: str, value: Any) -> tuple[str, ...]:
        """See `Kind`."""
        if isinstance(value, str):
            return self.parse(name, value)
        try:
            names = tuple(value)
        except TypeError:
            names = (None,)
        if any(not isinstance(one, str) or not one or one != one.strip() for one in names):
            raise OptionError(f"{name}={value!r}: expected names of classes, like 'person', none of them empty")
        if len(set(names)) < len(names):
            raise OptionError(f"{name}={value!r}: a class is there twice")
        return names

    def parse(self, name: str, text: str) -> tuple[str, ...]:
        """See `Kind`."""
        return self.check(name, [one.strip() for one in text.split(",")])

    def to_text(self, value: tuple[str, ...]) -> str:
        """See `Kind`."""
        return ",".join(value)


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
        "Name on the Hugging Face hub, or folder, of a token-classification model; spacy:NAME for a pipeline of spaCy, "
        "gliner:NAME for a model of GLiNER.",
        optional=True,
        group=_GROUP,
    )
    classes: tuple[str, ...] = option(
        (),
        _Names(),
        "The classes that a model of GLiNER is asked for, by names that it can make sense of: person,location.",
        when=[_WITH_ASKED],
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
    tagger_threshold: float = option(
        0.5,
        Number(below=1),
        "The least score of what a model of GLiNER finds.",
        when=[_WITH_ASKED],
        group=_GROUP,
    )
    tagger_device: str = option(
        "auto",
        Text("DEVICE"),
        "Where it computes: cpu, cuda, cuda:1, ...; several with commas.",
        when=[_WITH_TAGGER],
        group=_GROUP,
    )

    def check_together(self) -> None:
        """See `DeclaredOptions`."""
        if self.tagger is not None and not self.classes and tagger_name(self.tagger) == "gliner":
            raise OptionError(f"tagger={self.tagger!r} needs classes, the names of those to find: person,location")

    @property
    def loading(self) -> dict[str, Any]:
        """What `load_tagger` takes of this, the device apart."""
        found: dict[str, Any] = {"classes": classes_of(self.class_map, self.ignore_class)}
        if self.classes:
            found["asked_classes"] = self.classes
        if self.tagger_threshold != declared(TaggingOptions)["tagger_threshold"].default:
            found["threshold"] = self.tagger_threshold
        return found

    def step(self, name: str, roles: Sequence[Role]) -> Step:
        """The step that tags.

        Args:
            name: of the step.
            roles: see `TaggerStage`.
        """
        return step_of(name, self.stage(roles))

    def stage(self, roles: Sequence[Role]) -> TaggerStage:
        """The stage that tags, whose model is loaded when it is needed first.

        Args:
            roles: see `TaggerStage`.
        """
        if self.tagger is None:
            raise OptionError("tagger is missing: the model that tags")
        tagger = load_tagger(self.tagger, **self.loading, device=device_names(self.tagger_device), lazily=True)
        return TaggerStage(tagger, roles)
