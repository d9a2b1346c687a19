"""The settings that `xner tune` tries: which options there are, and the values of each, as they are declared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from xner._support.options import declared
from xner.errors import Error
from xner.filters.catalogue import FILTERS
from xner.projection.fusion import SCORES
from xner.projection.options import ProjectionOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np

    from xner._support.options import Declared

__all__ = [
    "Option",
    "Setting",
    "Space",
    "always",
    "applying",
    "filter_options",
    "projection_options",
    "projection_values",
    "score_options",
    "score_weights",
    "values_of",
]

Setting: TypeAlias = "Mapping[str, Any]"
"""A value for every option of a space, by name, in the space's order."""


def always(setting: Setting) -> bool:
    """For options that matter in every setting."""
    return True


def _candidates(setting: Setting) -> bool:
    return bool(setting["method"] == "candidates")


@dataclass(frozen=True, slots=True)
class Option:
    """One choice to make.

    Attributes:
        name: that of the command line's option, without dashes at its front.
        values: what may be chosen; the first one is the default.
        counts: whether the option matters, given the options before it; where it does not, it has its default, so
            that no two settings do the same.
    """

    name: str
    values: tuple[Any, ...]
    counts: Callable[[Setting], bool] = always


def values_of(its: Declared) -> tuple[Any, ...]:
    """The values to try of a declared option, its default first."""
    return its.tried if its.resolve is not None else (its.default, *its.tried)


def score_weights(setting: Setting) -> dict[str, float]:
    """The weights of a setting's scores."""
    others = {name: setting[name] for name in SCORES if name in setting}
    # Hints count unless they are said not to.
    return {"align": 1.0, **{name: weight for name, weight in others.items() if weight > 0 or name == "hints"}}


def projection_values(setting: Setting) -> dict[str, Any]:
    """A setting's options of projection, those that do not apply among them."""
    return {**{name: setting[name] for name in _DECLARED if name in setting}, "score": score_weights(setting)}


def applying(setting: Setting) -> frozenset[str]:
    """The names of the options of projection that apply in a setting."""
    given = tuple((name, setting[name]) for name in _DECLARED if name in setting)
    return _applying(given, tuple(score_weights(setting).items()))


@lru_cache(maxsize=10_000)  # the settings of a search differ in few values
def _applying(given: tuple[tuple[str, Any], ...], weights: tuple[tuple[str, float], ...]) -> frozenset[str]:
    return frozenset(ProjectionOptions.applying({**dict(given), "score": dict(weights)}))


def _declared_option(its: Declared) -> Option:
    return Option(its.name, values_of(its), lambda setting: its.name in applying(setting))


_DECLARED = declared(ProjectionOptions)
_TRIED = [its for its in _DECLARED.values() if its.tried]
_WITHOUT_SCORES = {
    name for one in values_of(_DECLARED["method"]) for name in ProjectionOptions.applying({"method": one})
}


def projection_options(*, memory: bool | None) -> list[Option]:
    """The options of projection itself.

    Args:
        memory: whether the corpus's memory is the default; None for a corpus that cannot have one.
    """
    options = [_declared_option(its) for its in _TRIED if its.name in _WITHOUT_SCORES]
    if memory is not None:
        options.append(Option("memory", (memory, not memory), _candidates))
    return options


_WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0)
_HINT_WEIGHTS = (1.0, 0.0, 0.25, 0.5, 2.0)


def score_options(names: Sequence[str]) -> list[Option]:
    """Options for the weights of scores beside `align`, which has the weight 1, and their thresholds.

    By default only hints count: who has a column of them wants them to.

    Args:
        names: of `xner.fusion.SCORES`.
    """
    weights = {name: (_HINT_WEIGHTS if name == "hints" else _WEIGHTS) for name in names}
    options = [Option(name, values, _candidates) for name, values in weights.items()]
    with_scores = applying(dict.fromkeys(names, 1.0))
    of_scores = [its for its in _TRIED if its.name in with_scores - _WITHOUT_SCORES]
    return [*options, *map(_declared_option, of_scores)]


def filter_options() -> list[Option]:
    """Options for filters of what was projected, by the filters' names; None leaves a filter out, "" has no value."""
    return [Option(name, (None, *kind.tried)) for name, kind in FILTERS.working().items() if getattr(kind, "tried", ())]


class Space:
    """All settings that can be made of some options.

    Args:
        options: in an order in which those that others depend on come first.

    Raises:
        Error: two options of one name, or an option without values.
    """

    def __init__(self, options: Sequence[Option]) -> None:
        names = [option.name for option in options]
        for option in options:
            if names.count(option.name) > 1:
                raise Error(f"option {option.name!r} is there twice")
            if not option.values:
                raise Error(f"option {option.name!r} has no values to choose from")
        self.options = tuple(options)

    def __repr__(self) -> str:
        return f"<Space: {', '.join(option.name for option in self.options)}>"

    @property
    def default(self) -> Setting:
        """Every option's default."""
        return {option.name: option.values[0] for option in self.options}

    def normal(self, setting: Setting) -> Setting:
        """The same setting with the default for what does not matter in it."""
        result: dict[str, Any] = {}
        for option in self.options:
            matters = option.counts(result)
            result[option.name] = setting[option.name] if matters else option.values[0]
        return result

    def relevant(self, setting: Setting) -> Setting:
        """The part of a setting that matters in it."""
        return {option.name: setting[option.name] for option in self.options if option.counts(setting)}

    def draw(self, generator: np.random.Generator) -> Setting:
        """A random setting; each option has its default in half of the draws, as most defaults are good."""
        drawn = {}
        for option in self.options:
            others = len(option.values) - 1
            pick = 0 if not others or generator.random() < 0.5 else 1 + int(generator.integers(others))
            drawn[option.name] = option.values[pick]
        return self.normal(drawn)

    def neighbours(self, setting: Setting) -> Iterator[Setting]:
        """The settings that differ in one option (and in those that begin or cease to matter by it)."""
        for option in self.options:
            if not option.counts(setting):
                continue
            for value in option.values:
                if value != setting[option.name]:
                    yield self.normal({**setting, option.name: value})

    def distance(self, setting: Setting) -> tuple[int, ...]:
        """How far a setting is from the default: in how many options, then by the place of each option's value."""
        places = [option.values.index(setting[option.name]) for option in self.options]
        return (sum(place > 0 for place in places), *places)

    def changes(self, setting: Setting) -> dict[str, Any]:
        """What is not at its default."""
        return {name: value for name, value in setting.items() if value != self.default[name]}
