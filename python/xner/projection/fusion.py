"""Weighted sums of scores: which scores there are, and the published sums by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from xner._support.arguments import choose, number, number_from_zero, real_array
from xner._support.faces import listing
from xner.errors import Error

__all__ = ["SCORES", "SUMS", "Weights", "fuse", "parse_score", "weights_of"]

__dir__ = listing(__all__)

SCORES: Final = ("align", "ner", "ner_spans", "nmt", "characters", "hints")
"""The scores that a sum may have.

`align`: word links between entity and span. `ner`: how likely a tagger finds the span to be an entity of the entity's
class; `ner_spans`: of any class. `nmt`: how likely a translation model finds each to be the other's translation.
`characters`: how alike they are written. `hints`: scores from anywhere else.
"""

SUMS: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "align": {"align": 1.0},
        "ner": {"ner": 1.0},
        "nmt": {"nmt": 1.0},
        "align_ner": {"align": 0.5, "ner": 0.5},
        "align_ner_spans": {"align": 0.5, "ner_spans": 0.5},
        "align_nmt": {"align": 0.5, "nmt": 1.0},
        "ner_spans_nmt": {"ner_spans": 0.5, "nmt": 1.0},
        "all_fusion": {"align": 0.5, "ner_spans": 0.5, "nmt": 1.0},
        "align_characters": {"align": 1.0, "characters": 0.5},
    }
)
"""Sums by name.

Those of Shkalikov 2024 have the weights that are the best known for `all_fusion`; `ner` has that of `ner_spans`.
`align_characters` is ours.
"""


class Weights(Mapping[str, float]):
    """Weights by name that cannot be changed; equal to any mapping with the same."""

    __slots__ = ("_items",)

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._items = tuple(weights.items())

    def __getitem__(self, name: str) -> float:
        for known, weight in self._items:
            if known == name:
                return weight
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items))

    def __repr__(self) -> str:
        return repr(dict(self._items))


def weights_of(score: str | Mapping[str, float]) -> Mapping[str, float]:
    """The weight of each score in a sum.

    Args:
        score: a name of `SUMS`, or weights from 0 on by names of `SCORES`.

    Returns:
        Scores with a weight above 0. `hints` are always among them, with the weight 1 unless `score` names another:
        who has a column of them wants them to count.

    Raises:
        Error: an unknown name, or a weight that is no number from 0 on, or none above 0.
    """
    given = choose("score", score, SUMS) if isinstance(score, str) else score
    weights = {"hints": 1.0}
    for name, weight in given.items():
        choose("score", name, dict.fromkeys(SCORES))
        weights[name] = number_from_zero(f"score {name}", weight)
    if not any(weights[name] > 0 for name in given):
        shown = ", ".join(f"{name} has {weights[name]:g}" for name in given) or "there is none"
        raise Error(f"score: expected at least one weight above 0; {shown}")
    return MappingProxyType({name: weights[name] for name in SCORES if weights.get(name, 0) > 0})


def parse_score(text: str) -> str | dict[str, float]:
    """Reads `align_ner` (a name of `SUMS`) or `align=0.5,characters=0.25`.

    Raises:
        Error: a weight that is no number. Names are for `weights_of` to check.
    """
    if "=" not in text:
        return text
    weights = {}
    for part in text.split(","):
        name, _, weight = part.partition("=")
        try:
            weights[name.strip()] = float(weight)
        except ValueError:
            raise Error(f"score {text!r}: expected NAME=WEIGHT,..., found {part!r}") from None
    return weights


def fuse(
    scores: Mapping[str, npt.ArrayLike], weights: str | Mapping[str, float] | None = None
) -> npt.NDArray[np.float64]:
    """Weighted sum of score arrays.

    Args:
        scores: arrays of one shape by name, or rows of numbers, for instance entities x candidates. With a preset, the
            names are its own.
        weights: a name of `SUMS`, or a weight for each of the names; None for 1 each.

    Returns:
        The sum, float64.

    Raises:
        Error: something else than numbers, arrays of different shapes, or weights and arrays that do not have the same
            names.

    Source: Shkalikov 2024, fusion of scores.
    """
    if weights is None:
        weights = dict.fromkeys(scores, 1.0)
    elif isinstance(weights, str):
        weights = choose("weights", weights, SUMS)
    if not scores or set(scores) != set(weights):
        raise Error(f"scores {sorted(scores)} and weights {sorted(weights)} do not have the same names")
    arrays = {name: real_array(f"scores {name!r}", values) for name, values in scores.items()}
    shapes = {name: array.shape for name, array in arrays.items()}
    if len(set(shapes.values())) > 1:
        raise Error(f"scores must have one shape, found {shapes}")
    factors = {name: number(f"weight {name}", weights[name], "that is finite", isfinite) for name in arrays}
    return np.asarray(sum(factors[name] * array.astype(np.float64, copy=False) for name, array in arrays.items()))
