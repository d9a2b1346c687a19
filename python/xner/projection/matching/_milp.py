"""Matching as a mixed-integer linear programme, solved by HiGHS through SciPy: a second judge of the core."""

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

__all__ = ["TOLERANCE", "solve"]

TOLERANCE = 1e-6
"""HiGHS stops when the objective and its bound, in parts of the largest score, are no further apart."""


def solve(problem: Problem, options: MatchingOptions) -> Result:
    """The optimum, to `TOLERANCE`.

    Raises:
        Error: SciPy is not installed.
    """
    return judge(problem, options, _Model(problem, options))


class _Model:
    """A variable for each pair, 0 or 1; a row for each word at which spans start, and for each entity."""

    def __init__(self, problem: Problem, options: MatchingOptions) -> None:
        what = "matcher='milp'"
        self._optimize: Any = require("scipy.optimize", extra="exact", what=what)
        sparse: Any = require("scipy.sparse", extra="exact", what=what)
        pairs = len(problem.score)
        rows = [*rivals(problem), *(np.flatnonzero(problem.entity == entity) for entity in range(problem.entities))]
        least = np.zeros(len(rows))
        most = np.ones(len(rows))
        first_entity = len(rows) - problem.entities
        least[first_entity:] = options.least
        most[first_entity:] = math.inf if options.most is None else options.most
        row = np.repeat(np.arange(len(rows)), [len(members) for members in rows])
        column = np.concatenate([np.zeros(0, np.int64), *rows])
        matrix = sparse.csr_array((np.ones(len(row)), (row, column)), shape=(len(rows), pairs))
        self._rows = self._optimize.LinearConstraint(matrix, least, most) if rows else ()
        self._lower, self._upper = np.zeros(pairs), np.ones(pairs)
        self._lower[problem.forced] = 1
        self._upper[: len(problem.forbidden)][problem.forbidden] = 0
        self._unit = float(np.abs(problem.score).max(initial=0)) or 1.0
        self._cost = -problem.score / self._unit
        self._possible = options.most is None or options.most >= 0 or problem.entities == 0

    def solve(self, time_limit: float | None, *, forbidden: int | None = None) -> tuple[str, NDArray[np.int64], float]:
        """See `Model`."""
        nothing = np.zeros(0, np.int64)
        upper = self._upper.copy()
        if forbidden is not None:
            upper[forbidden] = 0
        if not self._possible or (self._lower > upper).any():
            return "infeasible", nothing, math.inf
        if not len(self._cost):
            unmet = self._rows and bool((self._rows.lb > 0).any())
            return ("infeasible" if unmet else "optimal"), nothing, 0.0
        found = self._optimize.milp(
            self._cost,
            integrality=np.ones(len(self._cost)),
            bounds=self._optimize.Bounds(self._lower, upper),
            constraints=self._rows,
            options={"mip_rel_gap": 0.0} | ({} if time_limit is None else {"time_limit": time_limit}),
        )
        if found.status == 2:
            return "infeasible", nothing, math.inf
        if found.x is None:
            return "unknown", nothing, math.inf
        bound = math.inf if found.mip_dual_bound is None else -found.mip_dual_bound * self._unit
        return ("optimal" if found.status == 0 else "feasible"), np.flatnonzero(found.x > 0.5), bound
