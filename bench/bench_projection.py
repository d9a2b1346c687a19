"""Projection of the Europarl-NER rows: the core, beside the plain Python that the tests hold it against.

Run with `pytest bench/bench_projection.py`; `us_per_sentence` in the extra info is the best round's figure.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import golden
from golden import Row, entities_of, links_of
from reference import candidates, heuristic, matching, scores
from xner._support.arrow import pylist
from xner.projection import Projector

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

FILES = ("en-de.grow", "en-de.intersect", "en-es.grow", "en-es.intersect")
METHODS: dict[str, dict[str, Any]] = {
    "ngram-greedy": {"candidates": "ngram", "matcher": "greedy"},
    "ngram-exact": {"candidates": "ngram", "matcher": "exact"},
    "heuristic": {"method": "heuristic"},
    "heuristic-politov2025": {"method": "heuristic", "compat": "politov2025"},
}
MILLION = 1_000_000


def plain(row: Row, method: str) -> list[str]:
    """Labels of a row by the references of the tests."""
    words, entities, links = len(row["tokens"]), entities_of(row), links_of(row)
    if method == "heuristic-politov2025":
        return heuristic.overwrite(words, entities, links)
    if method == "heuristic":
        return heuristic.skip(words, sorted(entities), links)
    labels = ["O"] * words
    spans = [(start, end) for start, end, _ in entities]
    pairs = scores.alignment(spans, candidates.ngram(row["tokens"]), links)
    for index in matching.greedy(pairs):
        entity, start, end, _ = pairs[index]
        label = entities[entity][2]
        labels[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
    return labels


def plain_objective(row: Row) -> float:
    """The exact objective of a row by CP-SAT."""
    spans = [(start, end) for start, end, _ in row["entities"]]
    return matching.cp_sat(scores.alignment(spans, candidates.ngram(row["tokens"], max_words=10), row["links"]))


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("method", METHODS)
def test_core(benchmark: BenchmarkFixture, test_data: Path, method: str, file: str) -> None:
    rows = golden.load(test_data, file)
    batch = golden.record_batch(rows)
    projector = Projector(threads=1, **METHODS[method])
    result = projector(batch)
    if method == "ngram-exact":
        found = [sum(entity["score"] for entity in row) for row in pylist(result.column("entities"))[:100]]
        assert found == pytest.approx([plain_objective(row) for row in rows[:100]], abs=1e-4)
    else:
        some = range(0, len(rows), 4 if method == "ngram-greedy" else 1)
        labels = result.column("labels").to_pylist()
        assert [labels[index] for index in some] == [plain(rows[index], method) for index in some]
    benchmark(projector, batch)
    stats = benchmark.stats.stats  # type: ignore[union-attr]  # set by the run
    benchmark.extra_info["us_per_sentence"] = round(stats.min / len(rows) * 1e6, 3)


@pytest.mark.parametrize("method", [method for method in METHODS if method != "ngram-exact"])
def test_plain_python(benchmark: BenchmarkFixture, test_data: Path, method: str) -> None:
    rows = golden.load(test_data, FILES[0])
    sample = rows if method.startswith("heuristic") else rows[::8]
    benchmark.pedantic(lambda: [plain(row, method) for row in sample], rounds=3)
    stats = benchmark.stats.stats  # type: ignore[union-attr]  # set by the run
    benchmark.extra_info["us_per_sentence"] = round(stats.min / len(sample) * 1e6, 1)


def million(folder: Path) -> pa.Table:
    """A table of a million rows: the Europarl rows again and again, in one chunk a column."""
    batch = golden.record_batch(golden.load(folder, FILES[0]))
    return pa.Table.from_batches([batch] * (MILLION // batch.num_rows + 1)).slice(0, MILLION).combine_chunks()


@pytest.mark.parametrize("threads", [1, 2])
def test_million_rows(benchmark: BenchmarkFixture, test_data: Path, threads: int) -> None:
    table = million(test_data)
    projector = Projector(threads=threads)
    result = benchmark.pedantic(projector, (table,), rounds=3)
    assert result.num_rows == MILLION
    small = golden.record_batch(golden.load(test_data, FILES[0]))
    assert result.column("labels").slice(0, small.num_rows).to_pylist() == projector(small).column("labels").to_pylist()
    stats = benchmark.stats.stats  # type: ignore[union-attr]  # set by the run
    benchmark.extra_info["rows_per_second"] = round(MILLION / stats.min)


def measure(folder: Path) -> dict[str, float]:
    """Peak memory of projecting a million rows, in this process, against the input's bytes."""
    path = "/proc/self/status"

    def peak() -> int:
        lines = Path(path).read_text(encoding="ascii").splitlines()
        (line,) = (line for line in lines if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    table = million(folder)
    # Built from pieces, so the peak so far may be above what the table holds: start the count anew.
    pa.default_memory_pool().release_unused()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = peak()
    begin = time.perf_counter()
    result = Projector(threads=1)(table)
    seconds = time.perf_counter() - begin
    return {
        "input": table.nbytes,
        "output": result.nbytes,
        "before": before,
        "peak": peak(),
        "rows_per_second": MILLION / seconds,
    }


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
def test_memory(benchmark: BenchmarkFixture, test_data: Path) -> None:
    """Peak memory of the process less what it had without the table, over the table's bytes."""
    code = (
        "import bench_projection, json, pathlib; "
        f"print(json.dumps(bench_projection.measure(pathlib.Path({str(test_data)!r}))))"
    )
    here = Path(__file__).resolve().parent
    paths = [str(here), str(here.parent / "tests" / "python"), *sys.path]
    run = [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}; {code}"]
    done = benchmark.pedantic(lambda: subprocess.run(run, capture_output=True, text=True, check=True), rounds=1)
    found = json.loads(done.stdout)
    idle = found["before"] - found["input"]
    ratio = (found["peak"] - idle) / found["input"]
    benchmark.extra_info.update(found, ratio=round(ratio, 2))
    assert ratio < 3
