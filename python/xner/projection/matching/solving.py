"""Choosing pairs of source entities and target spans so that no two chosen spans overlap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import xner._core as _core
from xner._support.arguments import LARGEST_INT32, choose, whole_number
from xner._support.records import items_of, scored_span
from xner.errors import Error, InfeasibleError, NotSolvedError
from xner.projection.matching._problem import Problem, Result, Shortage, build_problem
from xner.projection.matching.constraints import MATCHERS, RELATIONS, MatchingOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from xner._support.records import ScoredSpansLike, SpansLike
    from xner.projection.matching.constraints import Constraint, Matcher

__all__ = ["Matching", "match", "solutions", "solve"]


@dataclass(frozen=True, slots=True)
class Matching:
    """A choice of pairs.

    Attributes:
        pairs: `(entity, candidate)`, indices from 0; sorted, but for greedy: forced ones, then in the order of choice.
        objective: sum of the chosen pairs' scores.
        bound: no choice has a higher objective; infinite where nothing is known, as mostly for greedy.
        optimal: whether the objective is proven to be the highest.
        margins: for each pair, the objective lost when it is forbidden and the rest chosen anew; infinite for a forced
            pair and where the constraint cannot be met then. Exact: a lower bound of that where the search for the
            best choice without the pair ended early. Empty where margins were not asked for.
    """

    pairs: tuple[tuple[int, int], ...]
    objective: float
    bound: float
    optimal: bool
    margins: tuple[float, ...]

    def __repr__(self) -> str:
        proof = "optimal" if self.optimal else f"gap={self.gap:g}"
        return f"Matching({len(self.pairs)} pairs, objective={self.objective:g}, {proof})"

    @property
    def gap(self) -> float:
        """How much the objective may be below the highest one; 0 when it is proven."""
        return self.bound - self.objective


def solve(
    scores: Any,
    candidates: SpansLike,
    *,
    constraint: Constraint = "<=",
    n: int = 1,
    matcher: Matcher = "exact",
    forced: Iterable[tuple[int, int]] = (),
    forbidden: Iterable[tuple[int, int]] = (),
    margins: bool = True,
    time_limit: float | None = None,
) -> Matching:
    """Choose pairs of an entity and a candidate so that no two chosen candidates overlap.

    Args:
        scores: entities x candidates, an array, rows of numbers, or a SciPy sparse matrix or array, of numbers that
            float64 holds. Pairs with a score of 0 or below are not chosen.
        candidates: `(start, end)` in words, half-open, or what has these names; or a whole-number array of shape
            (candidates, 2).
        constraint: what the number of projections of every entity is against `n`. Greedy takes `=`, `>=` and `>` as
            the published program does: they set the upper limit or lift it, the lower one is not guaranteed.
        n: see `constraint`.
        matcher: `exact` finds the highest total score; `greedy` takes the best pair again and again; `ortools` solves
            the same integer programme as `exact` with OR-Tools CP-SAT (extra `exact`), to compare with: scores are
            rounded to multiples of 2^-40 of the largest one, and each margin takes a search of its own; `milp` does
            likewise with HiGHS through SciPy (extra `exact`), which stops within 10^-6 of the largest score.
        forced: `(entity, candidate)` pairs that are chosen whatever their score, for interactive correction.
        forbidden: pairs that are not chosen.
        margins: whether to compute the margins.
        time_limit: seconds. Exact: in place of the limit on work, which is the same on every machine; half of it is
            for the choice and half for its margins, and what is proven before ends before. `ortools` and `milp`: for
            the choice, and again for each margin. The result may vary between runs then. None: the limit on work; no
            limit for the others.

    Returns:
        The choice.

    Raises:
        InfeasibleError: no choice meets the constraint; names the entities where it can.
        NotSolvedError: none was found within the limit, and none was ruled out.
        Error: arrays that do not go together, unknown options, or forced pairs that exclude each other.

    Source: Politov et al. 2025, section 3.3; Shkalikov 2024, whose Gurobi model `exact` replaces, and algorithm 2 for
        `greedy`. Of equally good choices, exact takes the first one in a fixed order.
    """
    options = MatchingOptions(constraint, n, margins, time_limit)
    return _solve(build_problem(scores, candidates, options, forced, forbidden), matcher, options)


def solutions(
    scores: Any,
    candidates: SpansLike,
    k: int,
    *,
    constraint: Constraint = "<=",
    n: int = 1,
    forced: Iterable[tuple[int, int]] = (),
    forbidden: Iterable[tuple[int, int]] = (),
) -> list[Matching]:
    """The `k` best choices, best first.

    Args:
        scores: as in `solve`.
        candidates: as in `solve`.
        k: how many; fewer come back when there are no more.
        constraint: as in `solve`.
        n: as in `solve`.
        forced: as in `solve`.
        forbidden: as in `solve`.

    Returns:
        Different choices, without margins; what is left of a choice without one of its pairs is a choice of its own. A
        choice is `optimal` when none but those before it is better; its bound is for all that are not before it.

    Raises:
        Error: as in `solve`.

    Source: Lawler 1972, a procedure for computing the K best solutions to discrete optimization problems.
    """
    options = MatchingOptions(constraint, n, margins=False)
    problem = build_problem(scores, candidates, options, forced, forbidden)
    results = _core_results(problem, "exact", options, whole_number("k", k, 1))
    return [_matching(problem, result, options, in_order=True) for result in results]


def match(
    pairs: ScoredSpansLike,
    *,
    entities: int,
    constraint: Constraint = "<=",
    n: int = 1,
    matcher: Matcher = "exact",
    margins: bool = True,
    time_limit: float | None = None,
) -> Matching:
    """`solve` for a list of pairs, such as `xner.scores.alignment` gives.

    Args:
        pairs: `(entity, start, end, score)`, or what has these names; the order of an entity's pairs decides between
            equal scores.
        entities: number of source entities.
        constraint: as in `solve`.
        n: as in `solve`.
        matcher: as in `solve`.
        margins: as in `solve`.
        time_limit: as in `solve`.

    Returns:
        The choice; its candidates are indices into `pairs`.

    Raises:
        Error: an entity index or span out of range, and as in `solve`.
    """
    options = MatchingOptions(constraint, n, margins, time_limit)
    entities = whole_number("entities", entities, 0)
    usable = []
    for position, pair in enumerate(items_of("pairs", pairs)):
        try:
            entity, start, end, score = scored_span(pair)
        except (TypeError, ValueError):
            raise Error(f"pair {position}: expected (entity, start, end, score), found {pair!r}") from None
        if not 0 <= entity < entities:
            raise Error(f"pair {position}: entity {entity} of {entities}")
        if not 0 <= start < end <= LARGEST_INT32:
            raise Error(f"pair {position}: [{start}, {end}) is not a span")
        if not math.isfinite(score):
            raise Error(f"pair {position}: score {score} is not a finite number")
        if score > 0:
            usable.append((entity, position, start, end, score))
    usable.sort()
    columns: list[Sequence[Any]] = list(zip(*usable, strict=True)) or [()] * 5
    problem = Problem(
        entities=entities,
        entity=np.array(columns[0], np.int32),
        candidate=np.array(columns[1], np.int64),
        spans=np.ascontiguousarray(np.array(columns[2:4], np.int32).T),
        score=np.array(columns[4], np.float64),
        forced=[],
        forbidden=np.zeros(0, np.bool_),
    )
    return _solve(problem, matcher, options)


def _core_results(problem: Problem, matcher: str, options: MatchingOptions, count: int = 0) -> list[Result]:
    results = _core.solve_matching(
        problem.entity,
        problem.spans,
        problem.score,
        # The core keeps a row for each; where none is required, those beyond the last pair's have nothing to say.
        entities=problem.entities if options.least else int(problem.entity.max(initial=-1)) + 1,
        matcher=MATCHERS[matcher],
        relation=RELATIONS[options.constraint],
        n=options.n,
        forced=problem.forced,
        forbidden=problem.forbidden,
        margins=options.margins,
        time_limit=options.time_limit or 0.0,
        count=count,
    )
    return [Result(*result[:4], Shortage(*result[4])) for result in results]


def _by_core(problem: Problem, matcher: str, options: MatchingOptions) -> Result:
    (result,) = _core_results(problem, matcher, options)
    return result


def _by_ortools(problem: Problem, matcher: str, options: MatchingOptions) -> Result:
    from xner.projection.matching import _cp_sat

    return _cp_sat.solve(problem, options)


def _by_milp(problem: Problem, matcher: str, options: MatchingOptions) -> Result:
    from xner.projection.matching import _milp

    return _milp.solve(problem, options)


_SOLVERS: dict[str, Callable[[Problem, str, MatchingOptions], Result]] = {
    "exact": _by_core,
    "greedy": _by_core,
    "ortools": _by_ortools,
    "milp": _by_milp,
}


def _solve(problem: Problem, matcher: str, options: MatchingOptions) -> Matching:
    result = choose("matcher", matcher, _SOLVERS)(problem, matcher, options)
    return _matching(problem, result, options, in_order=matcher != "greedy")


def _matching(problem: Problem, result: Result, options: MatchingOptions, *, in_order: bool) -> Matching:
    if result.status == "infeasible":
        raise InfeasibleError(_why_infeasible(problem, result.shortage, options), result.shortage.entities)
    if result.status == "unknown":
        raise NotSolvedError("no choice that meets the constraint was found within the limit, and none was ruled out")
    chosen = [(problem.pair(position), margin) for position, margin in result.chosen]
    if in_order:
        chosen.sort()
    return Matching(
        pairs=tuple(pair for pair, _ in chosen),
        objective=result.objective,
        bound=result.bound,
        optimal=result.status == "optimal",
        margins=tuple(margin for _, margin in chosen) if options.margins else (),
    )


def _why_infeasible(problem: Problem, shortage: Shortage, options: MatchingOptions) -> str:
    constraint = f"the constraint {options.constraint!r} {options.n}"
    if options.most is not None and options.most < 0:
        return f"{constraint} cannot be met: no number of projections is below 0"
    besides = " besides what is forced and forbidden" if problem.forced or problem.forbidden.any() else ""
    if not shortage.entities:
        return f"{constraint} cannot be met{besides}"
    who = ", ".join(map(str, shortage.entities))
    needs = f"{shortage.required} disjoint candidates with a positive score{besides}"
    if len(shortage.entities) == 1:
        return f"entity {who} cannot meet {constraint}: it needs {needs}, and has {shortage.possible}"
    return f"entities {who} cannot meet {constraint} together: they need {needs}, and there are {shortage.possible}"
