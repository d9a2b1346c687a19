"""Every golden row through the public API: what the references' own programs gave, this package gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import golden
from golden import Row, entities_of, links_of
from xner._support.arrow import pylist
from xner.alignment.links import SYMMETRIZATIONS, symmetrize
from xner.projection import Projection, Projector, candidates, project, scores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CAPS = {"all": None, "max10": 10}
ALIGNED = ("ngram", "aligned", "aligned_ends")


# Two of the five every time, all in `make test-thorough`.
OFTEN = ("en-de.grow", "synthetic")


@pytest.fixture(params=[name if name in OFTEN else pytest.param(name, marks=pytest.mark.slow) for name in golden.FILES])
def rows(request: pytest.FixtureRequest, test_data: Path) -> list[Row]:
    return golden.load(test_data, request.param)


def run(row: Row, **options: Any) -> Projection:
    return project(row["tokens"], entities_of(row), links_of(row), source_length=row["n_source"], **options)


def caps(row: Row) -> Iterator[tuple[str, int | None, golden.Ngram]]:
    for cap, max_words in CAPS.items():
        if f"ngram_{cap}" in row:
            yield cap, max_words, row[f"ngram_{cap}"]  # type: ignore[literal-required]  # a key made of parts


def test_every_file_has_its_rows(rows: list[Row]) -> None:
    synthetic = len(rows) == 1500
    assert synthetic or len(rows) == 799
    assert sum("ngram_max10" in row for row in rows) == (1275 if synthetic else 435)
    objective = "exact_objective_all" if synthetic else "exact_objective_max10"
    assert sum(objective in row for row in rows) == (1275 if synthetic else 435)
    for key in ("greedy_less_or_equal_2", "greedy_greater_or_equal_1"):
        assert sum(key in row for row in rows) == (1268 if synthetic else 435)
    assert {(len(row["heuristic"]), len(row["heuristic_thesis"])) for row in rows} == {(5, 5)}


def test_heuristic_of_politov(rows: list[Row]) -> None:
    for row in rows:
        for key, labels in row["heuristic"].items():
            distance, threshold = key.removeprefix("d").split("_t")
            found = run(
                row,
                method="heuristic",
                compat="politov2025",
                merge_distance=int(distance),
                length_ratio_threshold=float(threshold),
            )
            assert found.labels == labels, (row["id"], key)


def test_heuristic_of_shkalikov(rows: list[Row]) -> None:
    for row in rows:
        for key, labels in row["heuristic_thesis"].items():
            distance, top_k, only_i, threshold = (part[1:] for part in key.split("_"))
            found = run(
                row,
                method="heuristic",
                compat="shkalikov2024",
                merge_distance=int(distance),
                top_k=None if top_k == "None" else int(top_k),
                only_i=only_i == "1",
                length_ratio_threshold=None if threshold == "None" else float(threshold),
            )
            assert found.labels == labels, (row["id"], key)


def test_candidates_and_scores(rows: list[Row]) -> None:
    for row in rows:
        for cap, max_words, expected in caps(row):
            spans = candidates.ngram(row["tokens"], max_words=max_words)
            assert len(spans) == expected["n"], (row["id"], cap)
            pairs = scores.alignment(row["tokens"], entities_of(row), links_of(row), candidates=spans)
            assert len(pairs) == expected.get("nnz", 0), (row["id"], cap)
            assert sum(pair.score for pair in pairs) == pytest.approx(expected.get("score_sum", 0), abs=1e-5)


@pytest.mark.parametrize("kind", ALIGNED)
def test_greedy_in_order(rows: list[Row], kind: str) -> None:
    for row in rows:
        for cap, max_words, expected in caps(row):
            found = run(row, candidates=kind, matcher="greedy", max_words=max_words)
            chosen = [(entity.source, entity.start, entity.end) for entity in found.entities]
            assert chosen == [tuple(pair[:3]) for pair in expected["greedy"]], (row["id"], cap)
            assert [entity.score for entity in found.entities] == pytest.approx(
                [pair[3] for pair in expected["greedy"]], abs=1e-6
            )


def test_greedy_over_given_ngrams(rows: list[Row]) -> None:
    """Given spans are taken as they are, so this is the n-gram space itself and not its equivalent."""
    for row in rows:
        if "ngram_max10" not in row:
            continue
        spans = candidates.ngram(row["tokens"], max_words=10)
        found = run(row, candidates=spans, matcher="greedy")
        chosen = [(entity.source, entity.start, entity.end) for entity in found.entities]
        assert chosen == [tuple(pair[:3]) for pair in row["ngram_max10"]["greedy"]], row["id"]


@pytest.mark.parametrize(
    ("key", "options"),
    [
        # The reference's program projects an entity at most once for every `<= n`.
        ("greedy_less_or_equal_2", {"constraint": "<=", "n": 2, "compat": "shkalikov2024"}),
        ("greedy_greater_or_equal_1", {"constraint": ">=", "n": 1}),
    ],
)
def test_greedy_of_shkalikov(rows: list[Row], key: str, options: dict[str, Any]) -> None:
    for row in rows:
        if key in row:
            found = run(row, candidates="ngram", matcher="greedy", max_words=10, **options)
            chosen = [[entity.source, entity.start, entity.end] for entity in found.entities]
            assert chosen == row[key], row["id"]  # type: ignore[literal-required]  # a key made of parts


def test_up_to_two_projections_by_default(rows: list[Row]) -> None:
    for row in rows[:200]:
        found = run(row, candidates="ngram", matcher="greedy", max_words=10, constraint="<=", n=2)
        once = run(row, candidates="ngram", matcher="greedy", max_words=10)
        assert found.objective >= once.objective - 1e-9
        sources = [entity.source for entity in found.entities]
        assert all(sources.count(source) <= 2 for source in sources)


@pytest.mark.parametrize("ties", ["evidence", "first"])
def test_exact_objective(rows: list[Row], ties: str) -> None:
    for row in rows:
        for cap, max_words in CAPS.items():
            found = [run(row, candidates=kind, max_words=max_words, ties=ties) for kind in ALIGNED]
            assert found[0] == found[1] == found[2]
            assert found[0].bound == found[0].objective
            assert found[0].status != "not_proven"
            objective: float | None = row.get(f"exact_objective_{cap}")  # type: ignore[assignment]  # a key made of parts
            if objective is not None:
                assert found[0].objective == pytest.approx(objective, abs=1e-6), (row["id"], cap)


def test_exact_over_given_ngrams(rows: list[Row]) -> None:
    """The n-gram space itself: its optimum is that of spans with linked ends."""
    for row in rows:
        spans = candidates.ngram(row["tokens"], max_words=10)
        given = run(row, candidates=spans)
        ends = run(row, candidates="aligned_ends", max_words=10)
        assert given.objective == pytest.approx(ends.objective, abs=1e-6), row["id"]
        assert given.labels == ends.labels, row["id"]


@pytest.mark.parametrize(
    "options",
    [
        {"matcher": "greedy"},
        {"matcher": "exact"},
        {"matcher": "exact", "compat": "shkalikov2024"},
        {"method": "heuristic"},
        {"method": "heuristic", "compat": "politov2025"},
        {"method": "heuristic", "compat": "shkalikov2024", "top_k": 1},
    ],
    ids=lambda options: "-".join(options.values()) if "top_k" not in options else "top_k",
)
def test_projector_equals_project(rows: list[Row], options: dict[str, Any]) -> None:
    batch = golden.record_batch(rows)
    kinds: tuple[dict[str, Any], ...] = ({},)
    if "method" not in options:
        kinds = tuple({"candidates": kind} for kind in ALIGNED)
    expected = [run(row, **options) for row in rows]
    for kind in kinds:
        results = [Projector(threads=threads, **options, **kind)(batch) for threads in (1, 2, 3)]
        assert results[0].equals(results[1])
        assert results[0].equals(results[2])
        assert results[0].column("labels").to_pylist() == [found.labels for found in expected]
        assert results[0].column("status").to_pylist() == [found.status for found in expected]
        for entities, found in zip(pylist(results[0].column("entities")), expected, strict=True):
            assert [tuple(entity.values()) for entity in entities] == [
                (entity.start, entity.end, entity.label, entity.score, entity.margin, entity.source)
                for entity in found.entities
            ]


def read_pharaoh(path: Path) -> list[list[tuple[int, int]]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [[(int(a), int(b)) for a, _, b in (pair.partition("-") for pair in line.split())] for line in lines]


@pytest.mark.parametrize("pair", ["en-de", "en-es"])
@pytest.mark.parametrize("method", SYMMETRIZATIONS)
def test_symmetrisation_of_atools(test_data: Path, pair: str, method: Any) -> None:
    forward, reverse, expected = (
        read_pharaoh(test_data / "golden" / f"links.{pair}.{name}.pharaoh") for name in ("forward", "reverse", method)
    )
    assert len(forward) == len(reverse) == len(expected) == 799
    for there, back, links in zip(forward, reverse, expected, strict=True):
        assert symmetrize(there, back, method) == sorted(links)
