"""The settings that `xner tune` tries: which options there are, and the values of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from xner.errors import Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np

__all__ = ["Option", "Setting", "Space", "filter_options", "projection_options", "score_options"]

Setting: TypeAlias = "Mapping[str, Any]"
"""A value for every option of a space, by name, in the space's order."""


def _always(setting: Setting) -> bool:  # the signature of `Option.counts`
    return True


def _candidates(setting: Setting) -> bool:
    return bool(setting["method"] == "candidates")


def _heuristic(setting: Setting) -> bool:
    return not _candidates(setting)


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
    counts: Callable[[Setting], bool] = _always


def projection_options(*, memory: bool | None) -> list[Option]:
    """The options of projection itself.

    Args:
        memory: whether the corpus's memory is the default; None for a corpus that cannot have one.
    """
    options = [
        Option("method", ("candidates", "heuristic")),
        Option("matcher", ("exact", "greedy"), _candidates),
        Option("ties", ("evidence", "first"), _candidates),
        Option("count", ("links", "words", "weighted"), _candidates),
        Option("max_words", (None, 15, 10, 6), _candidates),
        Option("merge_distance", (1, 0, 2, 3), _heuristic),
        Option("length_ratio_threshold", (0.8, 0.0, 0.4, 0.6, 1.0), _heuristic),
        Option("policy", ("skip", "overwrite"), _heuristic),
    ]
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
    if "characters" in names:
        options.append(
            Option("character_threshold", (0.7, 0.5, 0.6, 0.8), lambda s: _candidates(s) and s["characters"] > 0)
        )
    tagged = [name for name in ("ner", "ner_spans") if name in names]
    if tagged:
        options.append(
            Option(
                "ner_threshold", (0.05, 0.0, 0.2, 0.5), lambda s: _candidates(s) and any(s[name] > 0 for name in tagged)
            )
        )
    return options


def filter_options() -> list[Option]:
    """Options for filters of what was projected, by the filters' names; None leaves a filter out, "" has no value."""
    return [
        Option("min-score", (None, 0.1, 0.2, 0.3, 0.5)),
        Option("min-margin", (None, 0.02, 0.05, 0.1, 0.2)),
        Option("length-ratio", (None, 0.4, 0.6, 0.8)),
        Option("source-coverage", (None, 0.5, 1.0)),
        Option("contiguous", (None, 0, 1)),
        Option("class-counts", (None, "")),
        Option("trim-punctuation", (None, "")),
    ]


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
