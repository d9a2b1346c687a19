"""What is asked of a matcher: how to choose, and how often an entity may be projected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import xner._core as _core
from xner._support.arguments import LARGEST_INT32, choose, whole_number
from xner.errors import Error

__all__ = ["MATCHERS", "RELATIONS", "Constraint", "Matcher", "MatchingOptions"]

Matcher = Literal["exact", "greedy", "ortools", "milp"]
Constraint = Literal["<=", "=", ">=", "<", ">"]

MATCHERS = {
    "exact": _core.MatcherKind.exact,
    "greedy": _core.MatcherKind.greedy,
    "ortools": _core.MatcherKind.exact,  # whose choice the judges make anew
    "milp": _core.MatcherKind.exact,
}
RELATIONS = {
    "<=": _core.Relation.less_equal,
    "=": _core.Relation.equal,
    ">=": _core.Relation.greater_equal,
    "<": _core.Relation.less,
    ">": _core.Relation.greater,
}


@dataclass(frozen=True, slots=True)
class MatchingOptions:
    """What is asked of a matcher; see `xner.matching.solve`.

    Raises:
        Error: a value is unknown or out of range.
    """

    constraint: Constraint = "<="
    n: int = 1
    margins: bool = True
    time_limit: float | None = None

    def __post_init__(self) -> None:
        choose("constraint", self.constraint, RELATIONS)
        whole_number("n", self.n, 0)
        limit = self.time_limit
        if limit is not None and not (isinstance(limit, int | float) and 0 < limit <= LARGEST_INT32):
            raise Error(f"time_limit={limit!r}: expected a positive number of seconds, or None for no limit")

    @property
    def least(self) -> int:
        """The least number of projections of an entity."""
        return {"=": self.n, ">=": self.n, ">": self.n + 1}.get(self.constraint, 0)

    @property
    def most(self) -> int | None:
        """The most projections of an entity, below 0 where no number is allowed; None for no limit."""
        return {"<=": self.n, "=": self.n, "<": self.n - 1}.get(self.constraint)
