"""Exact matching beside greedy and OR-Tools CP-SAT."""

from __future__ import annotations

import contextlib
import random
import time
import timeit
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import golden
from golden import Row, entities_of, links_of
from reference import candidates
from reference import matching as reference
from reference import scores as alignment_scores
from xner._support.arrow import pylist
from xner.errors import InfeasibleError
from xner.projection import Constraint, Projector, project
from xner.projection.matching import Matcher, Matching, match, solve

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
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
@pytest.mark.parametrize("matcher", ["exact", "greedy", "ortools"])
def test_tangle(benchmark: BenchmarkFixture, size: str, matcher: Matcher) -> None:
    """One component, without margins; CP-SAT judges the others."""
    problem = tangle(*SIZES[size])
    ask: dict[str, Any] = {"entities": SIZES[size][0], "margins": False}
    optimum = match(problem, matcher="ortools", **ask).objective
    found = match(problem, matcher=matcher, **ask)
    assert found.objective - 1e-6 <= optimum <= found.bound + 1e-6
    if matcher == "ortools":
        benchmark.pedantic(match, (problem,), ask | {"matcher": matcher}, rounds=3)
    else:
        benchmark(match, problem, matcher=matcher, **ask)
    benchmark.extra_info.update(objective=found.objective, optimum=optimum, gap=found.gap)


# What grows: (entities, words, spans an entity).
GROWTH = {
    **{f"{words}-words": (10, words, 20) for words in (10, 20, 50, 100, 200, 400, 600)},
    **{f"{each}-spans": (10, 100, each) for each in (5, 10, 20, 40, 80, 160, 320)},
    **{f"{entities}-entities": (entities, 100, 20) for entities in (1, 2, 5, 10, 20, 30, 40)},
}


@pytest.mark.parametrize("constraint", ["<=", "="])
@pytest.mark.parametrize("size", GROWTH)
def test_growth(benchmark: BenchmarkFixture, size: str, constraint: Constraint) -> None:
    """Ten entities over 100 words with 20 spans each, but for what grows; margins included."""
    problem = tangle(*GROWTH[size])
    ask: dict[str, Any] = {"entities": GROWTH[size][0], "constraint": constraint}
    try:
        found = match(problem, **ask)
    except InfeasibleError:
        benchmark.extra_info.update(status="infeasible")

        def run() -> None:
            with contextlib.suppress(InfeasibleError):
                match(problem, **ask)

    else:
        assert found.objective <= found.bound
        benchmark.extra_info.update(status="optimal" if found.optimal else f"gap {found.gap:.3g}")
        run = lambda: match(problem, **ask)  # type: ignore[assignment]  # noqa: E731 - one call in two places
    benchmark.pedantic(run, rounds=5, warmup_rounds=1)


def europarl(folder: Path) -> tuple[list[Row], list[tuple[NDArray[np.float64], NDArray[np.int64]]]]:
    """The rows that have entities, and the scores of their spans with linked ends: what the core chooses from."""
    rows, problems = [], []
    for row in golden.load(folder, "en-de.grow"):
        if not row["entities"]:
            continue
        spans = [(start, end) for start, end, _ in entities_of(row)]
        ngrams = candidates.ngram(row["tokens"])
        ends = sorted({span for entity in spans for span in candidates.aligned_ends(ngrams, entity, links_of(row))})
        scores = np.zeros((len(spans), len(ends)))
        for entity, start, end, score in alignment_scores.alignment(spans, ends, links_of(row)):
            scores[entity, ends.index((start, end))] = score
        rows.append(row)
        problems.append((scores, np.array(ends).reshape(-1, 2)))
    return rows, problems


@pytest.mark.parametrize("matcher", ["exact", "greedy", "ortools"])
def test_europarl(benchmark: BenchmarkFixture, test_data: Path, matcher: Matcher) -> None:
    """Europarl rows as arrays through `solve`, without margins: Python's part of the time included."""
    _, problems = europarl(test_data)
    problems = problems[:100] if matcher == "ortools" else problems

    def run() -> list[Matching]:
        return [solve(*problem, matcher=matcher, margins=False) for problem in problems]

    found = [result.objective for result in run()]
    for (scores, spans), objective in zip(problems[:100], found, strict=False):
        pairs = [(e, *map(int, spans[c]), scores[e, c]) for e, c in zip(*scores.nonzero(), strict=True)]
        greedy = sum(pairs[at][3] for at in reference.greedy(pairs))
        assert objective == pytest.approx(greedy if matcher == "greedy" else reference.cp_sat(pairs), abs=1e-6)
    benchmark.pedantic(run, rounds=3 if matcher == "ortools" else 20, warmup_rounds=1)
    fastest = benchmark.stats.stats.min  # type: ignore[union-attr]  # set by the run
    benchmark.extra_info["us_per_sentence"] = round(fastest / len(problems) * 1e6, 1)


def test_europarl_beside_cp_sat(benchmark: BenchmarkFixture, test_data: Path) -> None:
    """The core alone (a record batch from links to entities and margins) against CP-SAT's choice on the same rows."""
    rows, problems = europarl(test_data)
    batch = golden.record_batch(rows)
    begin = time.perf_counter()
    objectives = [solve(*problem, matcher="ortools", margins=False).objective for problem in problems[:200]]
    cp_sat = (time.perf_counter() - begin) / 200
    runs = {matcher: Projector(candidates="ngram", matcher=matcher, threads=1) for matcher in ("exact", "greedy")}
    found = pylist(runs["exact"](batch).column("entities"))[:200]
    assert [sum(entity["score"] for entity in row) for row in found] == pytest.approx(objectives, abs=1e-4)
    benchmark(runs["exact"], batch)
    exact = benchmark.stats.stats.min / len(rows)  # type: ignore[union-attr]  # set by the run
    greedy = min(timeit.repeat(lambda: runs["greedy"](batch), number=1, repeat=50)) / len(rows)
    benchmark.extra_info.update(
        exact_us=round(exact * 1e6, 3),
        greedy_us=round(greedy * 1e6, 3),
        cp_sat_us=round(cp_sat * 1e6),
        times_faster=round(cp_sat / exact),
    )
    assert cp_sat > 1000 * exact
    assert exact < 2 * greedy


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
    run = lambda: project(  # noqa: E731 - one call in two places
        ["w"] * words, spans, links, n=n, count="weighted" if weighted else "links", link_scores=link_scores
    )
    result = benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    assert result.objective <= result.bound <= 1.02 * result.objective
    benchmark.extra_info.update(
        status=result.status, objective=round(result.objective, 3), gap=round(result.bound - result.objective, 5)
    )
