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


# entities, target words, words an entity, links a source word, n, links with scores
LINKED = {
    "5-of-200": (25, 200, 1, 5, 1, False),
    "20-of-200": (25, 200, 1, 20, 1, False),
    "80-of-200": (25, 200, 1, 80, 1, False),
    "120-of-200": (25, 200, 1, 120, 1, False),
    "160-of-200": (25, 200, 1, 160, 1, False),
    "200-of-200": (25, 200, 1, 200, 1, False),
    "20-of-200-weighted": (25, 200, 1, 20, 1, True),
    "200-of-200-weighted": (25, 200, 1, 200, 1, True),
    "20-of-200-n2": (25, 200, 1, 20, 2, False),
    "120-of-200-n2": (25, 200, 1, 120, 2, False),
    "20-of-200-3-words": (25, 200, 3, 20, 1, False),
    "60-of-200-3-words": (25, 200, 3, 60, 1, False),
    "64-entities-10-of-300": (64, 300, 1, 10, 1, False),
    "64-entities-40-of-300": (64, 300, 1, 40, 1, False),
    "64-entities-150-of-300": (64, 300, 1, 150, 1, False),
}


@pytest.mark.parametrize("size", LINKED)
def test_linked_words(benchmark: BenchmarkFixture, size: str) -> None:
    """Entities whose words are linked to random target words: one component, from links to margins."""
    entities, words, length, linked, n, weighted = LINKED[size]
    draw = random.Random(linked)
    spans = [(length * entity, length * (entity + 1), "X") for entity in range(entities)]
    links = [(word, to) for word in range(length * entities) for to in sorted(draw.sample(range(words), linked))]
    link_scores = [draw.uniform(0.2, 1) for _ in links] if weighted else None
    run = lambda: project(  # noqa: E731
        ["w"] * words, spans, links, n=n, count="weighted" if weighted else "links", link_scores=link_scores
    )
    result = benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    assert result.objective <= result.bound <= 1.02 * result.objective
    benchmark.extra_info.update(
        status=result.status, objective=round(result.objective, 3), gap=round(result.bound - result.objective, 5)
    )
