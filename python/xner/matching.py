"""Choosing pairs of source entities and target spans so that no two chosen spans overlap."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from operator import index
from typing import TYPE_CHECKING

from xner import _core
from xner._arguments import LARGEST_INT32, whole_number
from xner.errors import Error
from xner.projection import MATCHERS, RELATIONS, Constraint, Matcher, ProjectionOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner.scores import ScoredPair

__all__ = ["Matching", "match"]


@dataclass(frozen=True, slots=True)
class Matching:
    """The chosen pairs.

    Attributes:
        chosen: indices into the given pairs; exact: by span; greedy: in the order of choice.
        margins: for each chosen pair, the objective lost when it is forbidden and the rest chosen anew.
        objective: sum of the chosen pairs' scores.
        bound: exact: no choice has a higher objective; greedy: the objective.
        proven: whether the objective is proven to be the optimum; always True for greedy, which claims none.
    """

    chosen: tuple[int, ...]
    margins: tuple[float, ...]
    objective: float
    bound: float
    proven: bool


def match(
    pairs: Sequence[ScoredPair | tuple[int, int, int, float]],
    *,
    entities: int,
    matcher: Matcher = "exact",
    constraint: Constraint = "<=",
    n: int = 1,
) -> Matching:
    """Choose pairs with scores from anywhere.

    Args:
        pairs: `(entity, start, end, score)`; the order of an entity's pairs decides between equal scores. Pairs with a
            score of 0 or below are never chosen.
        entities: number of source entities.
        matcher: `exact` or `greedy`, as in `xner.project`.
        constraint: as in `xner.project`.
        n: as in `xner.project`.

    Returns:
        The choice.

    Raises:
        Error: an entity index or span out of range, or options that do not go together.

    Source: Politov et al. 2025, section 3.3; Shkalikov 2024, algorithm 2 for `greedy`.
    """
    options = ProjectionOptions(matcher=matcher, constraint=constraint, n=n)
    entities = whole_number("entities", entities, 0)
    checked = []
    for position, pair in enumerate(pairs):
        try:
            (entity, start, end), score = map(index, pair[:3]), float(pair[3])
        except (IndexError, TypeError, ValueError):
            raise Error(f"pair {position}: expected (entity, start, end, score), found {pair!r}") from None
        if not 0 <= entity < entities:
            raise Error(f"pair {position}: entity {entity} of {entities}")
        if not 0 <= start < end <= LARGEST_INT32:
            raise Error(f"pair {position}: [{start}, {end}) is not a span")
        if not isfinite(score):
            raise Error(f"pair {position}: score {score} is not a finite number")
        checked.append((entity, start, end, score))
    chosen, objective, bound, proven = _core.match_pairs(
        checked,
        # The core keeps a row for each; those beyond the last pair's have none.
        entities=max((entity + 1 for entity, *_ in checked), default=0),
        matcher=MATCHERS[options.matcher],
        relation=RELATIONS[options.constraint],
        n=options.n,
    )
    return Matching(tuple(pair for pair, _ in chosen), tuple(margin for _, margin in chosen), objective, bound, proven)
