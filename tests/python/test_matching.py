"""Greedy and exact matching against brute force, CP-SAT and the plain greedy algorithm."""

from __future__ import annotations

import random
import time
from typing import Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reference import matching as reference
from strategies import many, pairs
from xner.errors import Error
from xner.matching import Matching, match
from xner.projection import project

Pair = tuple[int, int, int, float]

TOLERANCE = 1e-9
CONSTRAINTS: tuple[Literal["<=", "=", ">=", "<", ">"], ...] = ("<=", "=", ">=", "<", ">")


def random_pairs(entities: int, words: int, each: int, *, seed: int, longest: int = 8) -> list[Pair]:
    """Spans of a few words spread evenly, so that all entities hang together."""
    generator = random.Random(seed)
    found = []
    for entity in range(entities):
        for _ in range(each):
            start = generator.randrange(words - longest)
            length = generator.randint(1, longest)
            found.append((entity, start, start + length, generator.randint(1, 12) / generator.randint(2, 9)))
    return found


def check_exact(problem: list[Pair], result: Matching, n: int) -> None:
    """The choice is allowed, adds up, and comes in the documented order."""
    assert reference.is_feasible(problem, result.chosen, n)
    assert sum(problem[index][3] for index in result.chosen) == pytest.approx(result.objective)
    spans = [problem[index][1:3] for index in result.chosen]
    assert spans == sorted(spans)
    assert len(result.margins) == len(result.chosen)


@many(12)
@given(problem=pairs(), n=st.integers(0, 3))
@example(problem=[(0, 0, 2, 1.0), (1, 0, 1, 1.0), (1, 1, 2, 1.0)], n=2)
def test_exact_is_brute_force(problem: list[Pair], n: int) -> None:
    optimum, choices = reference.brute_force(problem, n=n)
    result = match(problem, entities=12, n=n)
    check_exact(problem, result, n)
    assert result.proven
    assert result.objective == pytest.approx(optimum, abs=TOLERANCE)
    assert result.bound == result.objective
    assert sorted(result.chosen) in choices


@many(5)
@given(problem=pairs(most=10), n=st.integers(1, 3))
def test_exact_margins(problem: list[Pair], n: int) -> None:
    """A margin is what the optimum loses when its pair is forbidden."""
    optimum, _ = reference.brute_force(problem, n=n)
    result = match(problem, entities=12, n=n)
    for index, margin in zip(result.chosen, result.margins, strict=True):
        without, _ = reference.brute_force(problem, n=n, forbidden=index)
        assert margin == pytest.approx(optimum - without, abs=TOLERANCE)


@many(5)
@given(problem=pairs(most=60, words=20), n=st.integers(1, 3))
def test_exact_is_cp_sat(problem: list[Pair], n: int) -> None:
    result = match(problem, entities=12, n=n)
    check_exact(problem, result, n)
    assert result.proven
    expected = reference.cp_sat(problem, n=n)
    assert result.objective == pytest.approx(expected, abs=reference.RESOLUTION * (len(problem) + 1))


@many(10)
@given(problem=pairs(most=30), constraint=st.sampled_from(CONSTRAINTS), n=st.integers(0, 3))
def test_greedy_is_the_reference(problem: list[Pair], constraint: Any, n: int) -> None:
    expected = reference.greedy(problem, constraint=constraint, n=n)
    result = match(problem, entities=12, matcher="greedy", constraint=constraint, n=n)
    assert list(result.chosen) == expected
    assert result.objective == pytest.approx(sum(problem[index][3] for index in expected))


@many(2)
@given(problem=pairs(most=12), n=st.integers(1, 2))
def test_greedy_margins(problem: list[Pair], n: int) -> None:
    """Of greedy, a margin is what greedy itself loses; forbidding a pair may even help it."""
    result = match(problem, entities=12, matcher="greedy", n=n)
    for index, margin in zip(result.chosen, result.margins, strict=True):
        without = [(*pair[:3], 0.0) if i == index else pair for i, pair in enumerate(problem)]
        objective = sum(without[i][3] for i in reference.greedy(without, n=n))
        assert margin == pytest.approx(result.objective - objective, abs=TOLERANCE)


@many(2)
@given(problem=pairs(), n=st.integers(1, 3), less=st.booleans())
def test_exact_is_never_below_greedy(problem: list[Pair], n: int, less: bool) -> None:
    constraint: Literal["<", "<="] = "<" if less else "<="
    exact = match(problem, entities=12, constraint=constraint, n=n)
    greedy = match(problem, entities=12, matcher="greedy", constraint=constraint, n=n)
    assert exact.objective >= greedy.objective - TOLERANCE


@many(2)
@given(problem=pairs(), order=st.randoms(use_true_random=False))
def test_pairs_in_any_order(problem: list[Pair], order: random.Random) -> None:
    shuffled = list(problem)
    order.shuffle(shuffled)
    result = match(shuffled, entities=12)
    assert result.objective == pytest.approx(match(problem, entities=12).objective, abs=TOLERANCE)
    check_exact(shuffled, result, 1)


@many(2)
@given(problem=pairs(most=40, words=20), n=st.integers(1, 2))
def test_result_is_repeatable(problem: list[Pair], n: int) -> None:
    assert match(problem, entities=12, n=n) == match(problem, entities=12, n=n)


@pytest.mark.parametrize("scale", [1e-300, 1e-15, 1e-9, 1.0, 1e6, 1e15, 1e300])
def test_scores_of_any_size(scale: float) -> None:
    """What counts as equal goes with the scores: tiny ones are not proven by being tiny."""
    problem = random_pairs(12, 30, 8, seed=5, longest=6)
    result = match([(*pair[:3], pair[3] * scale) for pair in problem], entities=12)
    assert result.proven
    assert result.objective / scale == pytest.approx(reference.cp_sat(problem), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("entities", "words", "each", "n"),
    [(25, 200, 8, 1), (25, 200, 40, 1), (25, 200, 8, 2), (25, 60, 8, 1), (64, 200, 6, 1), (80, 300, 6, 1)],
)
def test_large_components_are_proven_or_honest(entities: int, words: int, each: int, n: int, seed: int) -> None:
    """25 entities over 200 words in one component, and more than the 64 that fit the search's sets."""
    problem = random_pairs(entities, words, each, seed=seed)
    begin = time.perf_counter()
    result = match(problem, entities=entities, n=n)
    seconds = time.perf_counter() - begin
    check_exact(problem, result, n)
    optimum = reference.cp_sat(problem, n=n)
    slack = 1e-6
    assert result.objective <= optimum + slack
    assert result.bound >= optimum - slack
    assert result.bound >= result.objective
    if result.proven:
        assert result.bound == result.objective
        assert result.objective == pytest.approx(optimum, abs=slack)
    else:
        assert result.bound > result.objective
    assert result.objective >= 0.9 * optimum
    greedy = match(problem, entities=entities, matcher="greedy", n=n)
    assert result.objective >= greedy.objective - slack
    # Made for 50 ms for 25 entities; a busy machine and sanitizers take longer.
    assert seconds < 5


@pytest.mark.parametrize(
    ("entities", "words", "length", "linked", "n"),
    [(25, 200, 1, 160, 1), (25, 200, 1, 200, 1), (25, 200, 3, 60, 1), (25, 200, 1, 200, 2), (64, 300, 1, 120, 1)],
)
def test_dense_problems_are_all_but_solved(entities: int, words: int, length: int, linked: int, n: int) -> None:
    """Entities linked to most words: hundreds of thousands of candidates, and all entities alike."""
    generator = random.Random(linked)
    spans = [(length * i, length * (i + 1), "X") for i in range(entities)]
    links = [(word, to) for word in range(length * entities) for to in generator.sample(range(words), linked)]
    begin = time.perf_counter()
    result = project(["w"] * words, spans, links, n=n)
    seconds = time.perf_counter() - begin
    assert result.objective <= result.bound <= 1.02 * result.objective
    assert result.status == ("ok" if result.bound == result.objective else "not_proven")
    assert len(result.entities) == n * entities
    # Made for 50 ms for 25 entities; a busy machine and sanitizers take longer.
    assert seconds < 5


def test_same_span_given_twice() -> None:
    """One copy is chosen; without it the other takes its place, so the margin is 0."""
    result = match([(0, 1, 3, 0.5), (0, 1, 3, 0.5), (1, 1, 3, 0.25)], entities=2)
    assert result.objective == 0.5
    assert result.margins == (0.0,)


def test_touching_spans_do_not_overlap() -> None:
    assert match([(0, 0, 1, 1.0), (1, 1, 2, 1.0)], entities=2).chosen == (0, 1)


def test_greedy_takes_the_first_of_equals() -> None:
    problem = [(0, 2, 3, 1.0), (0, 0, 1, 1.0), (1, 0, 1, 1.0), (1, 2, 3, 1.0)]
    assert match(problem, entities=2, matcher="greedy").chosen == (0, 2)


def test_spans_far_apart() -> None:
    """Memory goes with the number of pairs, not with the largest index."""
    end = 2**31 - 1
    result = match([(0, 0, end, 1.0), (1, 5, 6, 0.75), (2, end - 1, end, 0.75)], entities=2**31 - 1)
    assert result.chosen == (1, 2)


def test_nothing_to_choose() -> None:
    empty = Matching((), (), 0.0, 0.0, True)
    assert match([], entities=0) == empty
    assert match([(0, 0, 1, 0.0), (1, 0, 1, -1.0)], entities=2) == empty
    assert match([(0, 0, 1, 1.0)], entities=1, n=0) == empty
    assert match([(0, 0, 1, 1.0)], entities=1, constraint="<", n=1) == empty
    assert match([(0, 0, 1, 1.0)], entities=1, constraint="<", n=0) == empty


@pytest.mark.parametrize(
    ("problem", "options", "message"),
    [
        ([(2, 0, 1, 1.0)], {}, "pair 0: entity 2 of 2"),
        ([(0, 0, 1, 1.0), (-1, 0, 1, 1.0)], {}, "pair 1: entity -1 of 2"),
        ([(0, 1, 1, 1.0)], {}, "pair 0: [1, 1) is not a span"),
        ([(0, 2, 1, 1.0)], {}, "pair 0: [2, 1) is not a span"),
        ([(0, -1, 1, 1.0)], {}, "pair 0: [-1, 1) is not a span"),
        ([(0, 0, 2**31, 1.0)], {}, "pair 0: [0, 2147483648) is not a span"),
        ([(0, 0, 1, float("nan"))], {}, "pair 0: score nan is not a finite number"),
        ([(0, 0, 1, float("inf"))], {}, "pair 0: score inf is not a finite number"),
        ([(0, 0, 1)], {}, "pair 0: expected (entity, start, end, score), found (0, 0, 1)"),
        ([(0.0, 0, 1, 1.0)], {}, "pair 0: expected (entity, start, end, score), found (0.0, 0, 1, 1.0)"),
        ([(0, 0, 1, "x")], {}, "pair 0: expected (entity, start, end, score), found (0, 0, 1, 'x')"),
        ([], {"entities": -1}, "entities=-1: expected a whole number from 0 to 2147483647"),
        ([], {"matcher": "best"}, "matcher='best': expected one of 'exact', 'greedy'"),
        ([], {"constraint": "!="}, "constraint='!=': expected one of '<=', '=', '>=', '<', '>'"),
        ([], {"n": -1}, "n=-1: expected a whole number from 0 to 2147483647"),
        ([], {"n": 1.5}, "n=1.5: expected a whole number from 0 to 2147483647"),
        (
            [],
            {"constraint": "="},
            (
                "constraint='=' with matcher='exact': the exact matcher takes '<=' and '<'; "
                "use matcher='greedy' for '=', '>=' and '>'"
            ),
        ),
    ],
)
def test_bad_input(problem: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error) as error:
        match(problem, **{"entities": 2, **options})
    assert str(error.value) == message
