"""Matching as an integer programme, for solvers from elsewhere: what judges of the core's exact matching share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import numpy as np

from xner.projection.matching._problem import Result, Shortage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from xner.projection.matching._problem import Problem
    from xner.projection.matching.constraints import MatchingOptions

__all__ = ["Model", "judge", "rivals"]


class Model(Protocol):
    """A problem as a solver has it."""

    def solve(self, time_limit: float | None, *, forbidden: int | None = None) -> tuple[str, NDArray[np.int64], float]:
        """Status as in `Result`, chosen pairs, and a bound of the objective.

        Args:
            time_limit: seconds.
            forbidden: a pair to do without.
        """


def rivals(problem: Problem) -> Iterator[NDArray[np.int64]]:
    """Sets of pairs of which one at most can be chosen: those that cover a word.

    Spans that share words all cover the start of the one that starts last: the words at which spans start are enough.
    """
    start, end = problem.spans.T
    for word in np.unique(start):
        yield np.flatnonzero((start <= word) & (word < end))


def judge(problem: Problem, options: MatchingOptions, model: Model) -> Result:
    """Solve a problem, and once more for each margin.

    Args:
        problem: what to choose from.
        options: the time limit is for the choice, and again for each margin.
        model: of the problem.

    Returns:
        The solver's status; objective, bound and margins in the scores as they are.
    """
    status, chosen, bound = model.solve(options.time_limit)
    if status in {"infeasible", "unknown"}:
        return Result(status, [], 0.0, math.inf, Shortage([], 0, 0))
    objective = float(problem.score[chosen].sum())
    margins = np.zeros(len(chosen))
    for at, position in enumerate(chosen.tolist() if options.margins else []):
        if position in problem.forced:
            margins[at] = math.inf
            continue
        without, second, second_bound = model.solve(options.time_limit, forbidden=position)
        best = float(problem.score[second].sum()) if without == "optimal" else second_bound
        margins[at] = math.inf if without == "infeasible" else objective - best
    return Result(
        status,
        list(zip(chosen.tolist(), margins.tolist(), strict=True)),
        objective,
        objective if status == "optimal" else max(objective, bound),
        Shortage([], 0, 0),
    )
