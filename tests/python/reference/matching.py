"""The matching problem in plain Python and as an integer programme.

Pairs are `(entity, start, end, score)`, sorted by entity; a choice is a list of indices into them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RESOLUTION", "brute_force", "cp_sat", "greedy", "is_feasible"]

Pair = tuple[int, int, int, float]

RESOLUTION = 1e-9
"""CP-SAT takes whole numbers: scores are rounded to multiples of this, once for every pair chosen."""


def overlap(a: Pair, b: Pair) -> bool:
    """Whether two pairs' spans share a word."""
    return a[1] < b[2] and b[1] < a[2]


def most(constraint: str, n: int) -> int | None:
    """The most projections of an entity that a constraint allows; None for no limit."""
    return {"<=": n, "=": n, "<": max(n - 1, 0), ">=": None, ">": None}[constraint]


def is_feasible(pairs: Sequence[Pair], chosen: Sequence[int], limit: int | None) -> bool:
    """Whether chosen spans are disjoint and no entity has more than `limit`."""
    picked = [pairs[index] for index in chosen]
    disjoint = all(not overlap(a, b) for i, a in enumerate(picked) for b in picked[:i])
    entities = [pair[0] for pair in picked]
    return disjoint and (limit is None or all(entities.count(entity) <= limit for entity in entities))


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


def brute_force(pairs: Sequence[Pair], *, n: int = 1, forbidden: int | None = None) -> tuple[float, list[list[int]]]:
    """The optimum for `<= n` by trying everything, and all choices that reach it (to 1e-9)."""
    usable = [index for index, pair in enumerate(pairs) if pair[3] > 0 and index != forbidden]
    best = 0.0
    choices: list[tuple[float, list[int]]] = [(0.0, [])]

    def extend(position: int, chosen: list[int], value: float) -> None:
        nonlocal best
        if position == len(usable):
            if value >= best - 1e-9:
                best = max(best, value)
                choices.append((value, list(chosen)))
            return
        extend(position + 1, chosen, value)
        index = usable[position]
        entity = pairs[index][0]
        if sum(pairs[other][0] == entity for other in chosen) >= n:
            return
        if any(overlap(pairs[index], pairs[other]) for other in chosen):
            return
        chosen.append(index)
        extend(position + 1, chosen, value + pairs[index][3])
        chosen.pop()

    extend(0, [], 0.0)
    return best, [choice for value, choice in choices if value >= best - 1e-9]


def cp_sat(pairs: Sequence[Pair], *, n: int = 1) -> float:
    """The optimum for `<= n` by OR-Tools CP-SAT, with one at-most-one constraint a target word."""
    from ortools.sat.python import cp_model

    usable = [pair for pair in pairs if pair[3] > 0]
    model = cp_model.CpModel()
    chosen = [model.new_bool_var("") for _ in usable]
    for entity in {pair[0] for pair in usable}:
        model.add(
            cp_model.LinearExpr.sum([x for x, pair in zip(chosen, usable, strict=True) if pair[0] == entity]) <= n
        )
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
    if status != cp_model.OPTIMAL:
        raise RuntimeError(f"CP-SAT ended with status {solver.status_name(status)}")
    return sum(pair[3] for x, pair in zip(chosen, usable, strict=True) if solver.value(x))
