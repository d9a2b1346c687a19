"""The matchers `ortools` and `milp` beside the native one, and without their libraries."""

from __future__ import annotations

import importlib.abc
import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import many, pairs
from xner.errors import Error, InfeasibleError, NotSolvedError
from xner.projection.matching import _cp_sat, _milp, match, solve

Pair = tuple[int, int, int, float]


JUDGES: list[tuple[Any, float]] = [("ortools", _cp_sat.RESOLUTION), ("milp", _milp.TOLERANCE)]


@pytest.mark.needs("exact")
@many(1)
@pytest.mark.parametrize(("matcher", "resolution"), JUDGES)
@given(problem=pairs(most=20, entities=4), constraint=st.sampled_from(["<=", "=", ">=", "<", ">"]), n=st.integers(0, 2))
def test_is_the_native_optimum(matcher: Any, resolution: float, problem: list[Pair], constraint: Any, n: int) -> None:
    ask: dict[str, Any] = {
        "entities": 1 + max((pair[0] for pair in problem), default=0),
        "constraint": constraint,
        "n": n,
    }
    try:
        native = match(problem, **ask)
    except InfeasibleError:
        with pytest.raises(InfeasibleError, match=r"the constraint '[<=>]+' . cannot be met"):
            match(problem, matcher=matcher, **ask)
        return
    found = match(problem, matcher=matcher, **ask)
    slack = resolution * max((pair[3] for pair in problem), default=0) * (len(problem) + 1) + 1e-12
    assert found.optimal
    assert found.bound == found.objective == pytest.approx(native.objective, abs=slack)
    assert sum(problem[at][3] for _, at in found.pairs) == pytest.approx(found.objective)
    # Of several optima the two may take different ones; a pair that both have costs both the same.
    margins = dict(zip(native.pairs, native.margins, strict=True))
    for pair, margin in zip(found.pairs, found.margins, strict=True):
        assert margin == pytest.approx(margins.get(pair, 0), abs=slack)


@pytest.mark.needs("exact")
def test_forced_forbidden_and_no_margins() -> None:
    scores, candidates = np.array([[1.0, 0.5], [0.75, 0.25]]), [(0, 2), (2, 3)]
    for matcher in ("exact", "ortools", "milp"):
        ask: dict[str, Any] = {"matcher": matcher, "forced": [(0, 1)]}
        found = solve(scores, candidates, **ask)
        assert found.pairs == ((0, 1), (1, 0))
        assert found.margins == (math.inf, 0.75)
        assert solve(scores, candidates, forbidden=[(1, 0)], margins=False, **ask).pairs == ((0, 1),)


@pytest.mark.needs("exact")
def test_time_limit() -> None:
    scores = np.random.default_rng(0).random((40, 900))
    candidates = [(start, start + length) for start in range(300) for length in (1, 2, 3)]
    with pytest.raises(NotSolvedError):
        solve(scores, candidates, matcher="ortools", constraint="=", n=2, time_limit=1e-6)


class _Missing(importlib.abc.MetaPathFinder):
    """An installation without OR-Tools."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] == "ortools":
            raise ModuleNotFoundError(f"No module named {name!r}", name="ortools")


def test_without_ortools(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "ortools"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Missing(), *sys.meta_path])
    with pytest.raises(Error) as error:
        match([(0, 0, 1, 1.0)], entities=1, matcher="ortools")
    assert str(error.value) == (
        "matcher='ortools' needs ortools, which is not installed; pip install 'xner[exact]' brings it"
    )
