"""Exact matching beside greedy and OR-Tools CP-SAT."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

import golden
from golden import entities_of, links_of
from reference import matching as reference
from xner import candidates, scores
from xner.matching import Matching, match
from xner.projection import project

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

Pair = tuple[int, int, int, float]

# entities, words, spans an entity
SIZES = {
    "5x30": (5, 30, 20),
    "12x60": (12, 60, 20),
    "25x200": (25, 200, 20),
    "25x200-dense": (25, 200, 80),
    "64x300": (64, 300, 20),
}


def tangle(entities: int, words: int, each: int) -> list[Pair]:
    """Spans spread over the whole sentence for every entity, so that all entities are one component."""
    generator = random.Random(entities * words)
    found = []
    for entity in range(entities):
        for _ in range(each):
            start = generator.randrange(words - 8)
            found.append(
                (
                    entity,
                    start,
                    start + generator.randint(1, 8),
                    generator.randint(1, 12) / generator.randint(2, 9),
                )
            )
    return found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("matcher", ["exact", "greedy", "cp-sat"])
def test_tangle(benchmark: BenchmarkFixture, size: str, matcher: str) -> None:
    problem = tangle(*SIZES[size])
    entities = SIZES[size][0]
    optimum = reference.cp_sat(problem)
    exact = match(problem, entities=entities)
    assert exact.objective <= optimum + 1e-6
    assert exact.bound >= optimum - 1e-6
    if matcher == "cp-sat":
        benchmark.pedantic(reference.cp_sat, (problem,), rounds=3)
        benchmark.extra_info["objective"] = optimum
        return
    run = lambda: match(problem, entities=entities, matcher=matcher)  # type: ignore[arg-type]  # noqa: E731
    found: Matching = benchmark(run)
    benchmark.extra_info.update(
        objective=found.objective,
        bound=found.bound,
        proven=found.proven if matcher == "exact" else None,
        optimum=optimum,
    )


@pytest.mark.parametrize("matcher", ["exact", "greedy"])
def test_europarl(benchmark: BenchmarkFixture, test_data: Path, matcher: str) -> None:
    """The n-gram scores of all Europarl rows as ready-made pairs: matching alone, through Python lists."""
    problems = []
    for row in golden.load(test_data, "en-de.grow"):
        if row["entities"]:
            spans = candidates.ngram(row["tokens"], max_words=10)
            pairs = scores.alignment(row["tokens"], entities_of(row), links_of(row), candidates=spans)
            problems.append((pairs, len(row["entities"])))
    for pairs, entities in problems[:100]:
        assert match(pairs, entities=entities).objective == pytest.approx(reference.cp_sat(pairs), abs=1e-6)
        assert list(match(pairs, entities=entities, matcher="greedy").chosen) == reference.greedy(pairs)

    def run() -> None:
        for pairs, entities in problems:
            match(pairs, entities=entities, matcher=matcher)  # type: ignore[arg-type]  # a str of the parameters

    benchmark(run)
    fastest = benchmark.stats.stats.min  # type: ignore[union-attr]  # set by the run
    benchmark.extra_info["us_per_sentence"] = round(fastest / len(problems) * 1e6, 1)


@pytest.mark.parametrize("linked", [5, 20, 80, 120, 160, 200])
def test_linked_words(benchmark: BenchmarkFixture, linked: int) -> None:
    """25 one-word entities, each linked to so many of 200 target words: one component, margins included."""
    draw = random.Random(linked)
    entities = [(word, word + 1, "X") for word in range(25)]
    links = [(word, target) for word in range(25) for target in sorted(draw.sample(range(200), linked))]
    result = benchmark.pedantic(project, (["w"] * 200, entities, links), rounds=3)
    assert result.bound >= result.objective
    benchmark.extra_info.update(status=result.status, gap=round(result.gap, 3))
