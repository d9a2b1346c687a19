"""What all matchers take and give: scored pairs as arrays, a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from xner._support.arguments import index_pairs, real_array
from xner._support.records import span_array
from xner.errors import Error

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from xner.projection.matching.constraints import MatchingOptions

__all__ = ["Problem", "Result", "Shortage", "build_problem"]


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Scored pairs, sorted by entity, then candidate.

    Attributes:
        entities: number of entities; some may have no pairs.
        entity: int32, of each pair.
        candidate: int64, of each pair.
        spans: int32, pairs x 2: first word, and one past the last, of each pair's candidate.
        score: float64, of each pair; above 0, except for forced pairs.
        forced: which pairs every choice has, in the caller's order.
        forbidden: bool, of each pair whether no choice has it; of length 0: none is forbidden.
    """

    entities: int
    entity: NDArray[np.int32]
    candidate: NDArray[np.int64]
    spans: NDArray[np.int32]
    score: NDArray[np.float64]
    forced: list[int]
    forbidden: NDArray[np.bool_]

    def pair(self, position: int) -> tuple[int, int]:
        """Entity and candidate of a pair."""
        return int(self.entity[position]), int(self.candidate[position])


class Shortage(NamedTuple):
    """Why no choice meets the constraint: these entities need more projections than there can be."""

    entities: Sequence[int]
    required: int
    possible: int


class Result(NamedTuple):
    """What a matcher found.

    Attributes:
        status: `optimal`, `feasible`, `infeasible` (no choice meets the constraint), or `unknown` (none was found).
        chosen: pairs by position, each with its margin.
        objective: sum of the chosen scores.
        bound: no choice has a higher objective.
        shortage: for `infeasible`; without entities where it cannot tell.
    """

    status: str
    chosen: Sequence[tuple[int, float]]
    objective: float
    bound: float
    shortage: Shortage


def build_problem(
    scores: Any,
    candidates: Any,
    options: MatchingOptions,
    forced: Iterable[tuple[int, int]],
    forbidden: Iterable[tuple[int, int]],
) -> Problem:
    """The problem in arrays; see `xner.matching.solve` for the arguments.

    Raises:
        Error: arrays of another form, or forced pairs that exclude each other.
    """
    spans = span_array("candidates", candidates)
    sparse = hasattr(scores, "tocsr")
    scores = scores.tocsr() if sparse else real_array("scores", scores)
    if scores.shape == (0,):
        scores = scores.reshape(0, len(spans))
    shape = tuple(scores.shape)
    if len(shape) != 2 or shape[1] != len(spans):
        expected = f"(entities, {len(spans)}), a column for each candidate"
        raise Error(f"scores: expected an array, rows of numbers or a SciPy matrix of shape {expected}; found {shape}")
    must = _keys("forced", forced, shape)
    never = _keys("forbidden", forbidden, shape)
    keys, values = (_sparse_entries if sparse else _dense_entries)(scores, must)
    entity, candidate = np.divmod(keys, max(1, shape[1]))
    problem = Problem(
        entities=shape[0],
        entity=entity.astype(np.int32),
        candidate=candidate,
        spans=spans[candidate],
        score=values.astype(np.float64),
        forced=np.searchsorted(keys, must).tolist(),
        forbidden=np.isin(keys, never) if never.size else np.zeros(0, np.bool_),
    )
    _check_forced(problem, options)
    return problem


def _keys(option: str, pairs: Iterable[tuple[int, int]], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Each pair's place in the matrix, row by row."""
    keys = []
    for entity, candidate in index_pairs(option, pairs):
        if not (0 <= entity < shape[0] and 0 <= candidate < shape[1]):
            raise Error(f"{option}: {(entity, candidate)} is outside of {shape[0]} entities and {shape[1]} candidates")
        keys.append(entity * shape[1] + candidate)
    return np.array(keys, np.int64)


def _check_finite(values: NDArray[Any], keys: NDArray[np.int64] | None, columns: int) -> None:
    finite = np.isfinite(values)
    if not finite.all():
        at = int(finite.argmin())
        entity, candidate = divmod(at if keys is None else int(keys[at]), columns)
        raise Error(f"scores[{entity}, {candidate}] is {values.flat[at]}: expected finite numbers")


def _dense_entries(scores: NDArray[Any], must: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    _check_finite(scores, None, scores.shape[1])
    values = scores.ravel()
    wanted = values > 0
    wanted[must] = True
    keys = np.flatnonzero(wanted)
    return keys, values[keys]


def _sparse_entries(scores: Any, must: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    rows, columns = scores.shape
    begin, candidate, values = (
        np.asarray(part) for part in (scores.indptr, scores.indices, real_array("scores", scores.data))
    )
    lengths = np.diff(begin)
    whole = len(begin) == rows + 1 and begin[0] == 0 and (lengths >= 0).all() and begin[-1] == len(candidate)
    if not whole or len(candidate) != len(values) or ((candidate < 0) | (candidate >= columns)).any():
        raise Error("scores: indptr, indices and data do not make a CSR matrix of their shape")
    keys = np.repeat(np.arange(rows, dtype=np.int64), lengths) * columns + candidate
    _check_finite(values, keys, columns)
    missing = np.setdiff1d(must, keys)
    keys, values = np.append(keys, missing), np.append(values, np.zeros(len(missing), values.dtype))
    wanted = (values > 0) | np.isin(keys, must)
    keys, values = keys[wanted], values[wanted]
    if not (np.diff(keys) > 0).all():
        order = np.argsort(keys, kind="stable")
        keys, values = keys[order], values[order]
        twice = np.flatnonzero(np.diff(keys) == 0)
        if twice.size:
            raise Error(
                f"scores[{', '.join(map(str, divmod(int(keys[twice[0]]), columns)))}] is stored twice; "
                "sum_duplicates() adds up what belongs together"
            )
    return keys, values


def _check_forced(problem: Problem, options: MatchingOptions) -> None:
    """Forced pairs can all be chosen.

    Raises:
        Error: two of them overlap or are the same, an entity has more than it may have, or one is forbidden.
    """
    uses: dict[int, int] = {}
    for count, position in enumerate(problem.forced):
        pair = problem.pair(position)
        start, end = problem.spans[position]
        for other in problem.forced[:count]:
            if problem.spans[other][0] < end and start < problem.spans[other][1]:
                raise Error(f"forced: {problem.pair(other)} and {pair} overlap")
        uses[pair[0]] = uses.get(pair[0], 0) + 1
        if options.most is not None and uses[pair[0]] > options.most:
            raise Error(
                f"forced: {uses[pair[0]]} pairs of entity {pair[0]}, more than the constraint "
                f"{options.constraint!r} {options.n} allows"
            )
        if problem.forbidden.size and problem.forbidden[position]:
            raise Error(f"{pair} is both forced and forbidden")
