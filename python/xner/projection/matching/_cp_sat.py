"""Matching as an integer programme, solved by OR-Tools CP-SAT: independent of the core, to compare it with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from xner._support.extras import require
from xner.projection.matching._integer_programme import judge, rivals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from xner.projection.matching._problem import Problem, Result
    from xner.projection.matching.constraints import MatchingOptions

__all__ = ["RESOLUTION", "solve"]

RESOLUTION = 2.0**-40
"""CP-SAT takes whole numbers: scores are rounded to multiples of this part of the largest one."""


def solve(problem: Problem, options: MatchingOptions) -> Result:
    """The optimum at `RESOLUTION`, with one thread and a fixed seed.

    Args:
        problem: what to choose from.
        options: the time limit is for the choice, and again for each margin.

    Returns:
        CP-SAT's status; objective and margins in the scores as they are. The bound is one for them, too: it allows
        for the rounding where the status is not `optimal`.

    Raises:
        Error: OR-Tools is not installed.
    """
    return judge(problem, options, _Model(problem, options))


class _Model:
    """A truth value for each pair; spans that share a word exclude each other, entities have so many."""

    def __init__(self, problem: Problem, options: MatchingOptions) -> None:
        cp_model = require("ortools.sat.python.cp_model", extra="exact", what="matcher='ortools'")
        self._cp_model: Any = cp_model
        self._model = cp_model.CpModel()
        self._chosen = [self._model.new_bool_var("") for _ in problem.entity]
        for covering in rivals(problem):
            self._model.add_at_most_one([self._chosen[position] for position in covering])
        for entity in range(problem.entities):
            count = cp_model.LinearExpr.sum([self._chosen[at] for at in np.flatnonzero(problem.entity == entity)])
            if options.least > 0:
                self._model.add(count >= options.least)
            if options.most is not None:
                self._model.add(count <= options.most)
        for position in problem.forced:
            self._model.add(self._chosen[position] == 1)
        for position in np.flatnonzero(problem.forbidden).tolist():
            self._model.add(self._chosen[position] == 0)
        largest = float(np.abs(problem.score).max(initial=0)) or 1.0
        self._unit = largest * RESOLUTION
        weights = np.rint(problem.score / largest / RESOLUTION).astype(np.int64)
        self._model.maximize(cp_model.LinearExpr.weighted_sum(self._chosen, weights.tolist()))

    def solve(self, time_limit: float | None, *, forbidden: int | None = None) -> tuple[str, NDArray[np.int64], float]:
        """See `Model`."""
        cp_model = self._cp_model
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 0
        solver.parameters.relative_gap_limit = 0
        if time_limit is not None:
            solver.parameters.max_time_in_seconds = time_limit
        if forbidden is not None:
            self._model.add_assumption(~self._chosen[forbidden])
        found = solver.solve(self._model)
        self._model.clear_assumptions()
        if found in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            chosen = np.flatnonzero([solver.value(x) for x in self._chosen])
            # Each pair that a choice can have may have lost half a unit.
            rounding = len(self._chosen) / 2
            status = "optimal" if found == cp_model.OPTIMAL else "feasible"
            return status, chosen, (solver.best_objective_bound + rounding) * self._unit
        status = "infeasible" if found == cp_model.INFEASIBLE else "unknown"
        return status, np.zeros(0, np.int64), math.inf
