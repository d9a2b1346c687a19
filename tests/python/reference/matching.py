"""The matching problem in plain Python and as an integer programme.

Pairs are `(entity, start, end, score)`, sorted by entity; a choice is a list of indices into them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["RESOLUTION", "all_choices", "brute_force", "cp_sat", "greedy", "is_feasible"]

Pair = tuple[int, int, int, float]

RESOLUTION = 1e-9
"""CP-SAT takes whole numbers: scores are rounded to multiples of this, once for every pair chosen."""


def overlap(a: Pair, b: Pair) -> bool:
    """Whether two pairs' spans share a word."""
    return a[1] < b[2] and b[1] < a[2]


def most(constraint: str, n: int) -> int | None:
    """The most projections of an entity that greedy takes; None for no limit."""
    return {"<=": n, "=": n, "<": max(n - 1, 0), ">=": None, ">": None}[constraint]


def meets(count: int, constraint: str, n: int) -> bool:
    """Whether an entity may have so many projections."""
    return {"<=": count <= n, "=": count == n, ">=": count >= n, "<": count < n, ">": count > n}[constraint]


def is_feasible(
    pairs: Sequence[Pair], chosen: Sequence[int], *, entities: int = 0, constraint: str = "<=", n: int = 1
) -> bool:
    """Whether chosen spans are disjoint and every entity has a number of them that is allowed.

    Entities beyond those of the pairs matter where some number of projections is required: say how many there are.
    """
    picked = [pairs[index] for index in chosen]
    disjoint = all(not overlap(a, b) for i, a in enumerate(picked) for b in picked[:i])
    counts = dict.fromkeys(range(entities), 0) | {pair[0]: 0 for pair in picked}
    for pair in picked:
        counts[pair[0]] += 1
    return disjoint and all(meets(count, constraint, n) for count in counts.values())


def greedy(pairs: Sequence[Pair], *, constraint: str = "<=", n: int = 1) -> list[int]:
    """Shkalikov 2024, algorithm 2 (Politov et al. 2025 for `<= 1`): the first largest score again and again."""
    limit = most(constraint, n)
    scores = [pair[3] for pair in pairs]
    used: dict[int, int] = {}
    chosen: list[int] = []
    if limit == 0:
        return chosen
    while scores and max(scores) > 0:
        best = scores.index(max(scores))
        chosen.append(best)
        entity = pairs[best][0]
        used[entity] = used.get(entity, 0) + 1
        for index, pair in enumerate(pairs):
            if overlap(pair, pairs[best]) or (used[entity] == limit and pair[0] == entity):
                scores[index] = 0
    return chosen


def all_choices(
    pairs: Sequence[Pair],
    *,
    entities: int = 0,
    constraint: str = "<=",
    n: int = 1,
    forced: Collection[int] = (),
    forbidden: Collection[int] = (),
) -> list[tuple[float, list[int]]]:
    """Every choice that is allowed, with its objective, by trying all; forced pairs may have any score."""
    usable = [index for index, pair in enumerate(pairs) if index in forced or (pair[3] > 0 and index not in forbidden)]
    choices: list[tuple[float, list[int]]] = []
    limit = most(constraint, n)

    def fits(index: int, chosen: list[int]) -> bool:
        uses = sum(pairs[other][0] == pairs[index][0] for other in chosen)
        return (limit is None or uses < limit) and not any(overlap(pairs[index], pairs[other]) for other in chosen)

    def extend(position: int, chosen: list[int]) -> None:
        if position == len(usable):
            if is_feasible(pairs, chosen, entities=entities, constraint=constraint, n=n):
                choices.append((sum(pairs[index][3] for index in chosen), list(chosen)))
            return
        index = usable[position]
        if index not in forced:
            extend(position + 1, chosen)
        if fits(index, chosen):
            extend(position + 1, [*chosen, index])

    extend(0, [])
    return choices


def brute_force(
    pairs: Sequence[Pair],
    *,
    entities: int = 0,
    constraint: str = "<=",
    n: int = 1,
    forced: Collection[int] = (),
    forbidden: Collection[int] = (),
) -> tuple[float, list[list[int]]]:
    """The optimum and all choices that reach it (to 1e-9); minus infinity and none if no choice is allowed."""
    choices = all_choices(pairs, entities=entities, constraint=constraint, n=n, forced=forced, forbidden=forbidden)
    best = max((value for value, _ in choices), default=-math.inf)
    return best, [choice for value, choice in choices if value >= best - 1e-9]


def cp_sat(pairs: Sequence[Pair], *, entities: int = 0, constraint: str = "<=", n: int = 1) -> float:
    """The optimum by OR-Tools CP-SAT, one at-most-one constraint a target word; minus infinity if there is none."""
    from ortools.sat.python import cp_model

    usable = [pair for pair in pairs if pair[3] > 0]
    model = cp_model.CpModel()
    chosen = [model.new_bool_var("") for _ in usable]
    allowed = [count for count in range(len(usable) + 1) if meets(count, constraint, n)]
    rows = {pair[0] for pair in usable} | set(range(entities))
    if rows and not allowed:
        return -math.inf
    for entity in rows:
        own = [x for x, pair in zip(chosen, usable, strict=True) if pair[0] == entity]
        count = model.new_int_var_from_domain(cp_model.Domain.from_values(allowed), "")
        model.add(cp_model.LinearExpr.sum(own) == count)
    for word in {pair[1] for pair in usable}:
        # Spans that share a word all cover the start of the one that starts last: cliques at starts are enough.
        model.add_at_most_one([x for x, pair in zip(chosen, usable, strict=True) if pair[1] <= word < pair[2]])
    weights = [round(pair[3] / RESOLUTION) for pair in usable]
    model.maximize(cp_model.LinearExpr.weighted_sum(chosen, weights))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.relative_gap_limit = 0
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return -math.inf
    if status != cp_model.OPTIMAL:
        raise RuntimeError(f"CP-SAT ended with status {solver.status_name(status)}")
    return sum(pair[3] for x, pair in zip(chosen, usable, strict=True) if solver.value(x))
