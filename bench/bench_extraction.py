"""Links out of similarity matrices, beside numpy and networkx.

Matrices are those of made-up embeddings: most target pieces are noisy copies of a source piece near the diagonal.
numpy's versions are vectorised and give what `extract` gives, pairs in order and scores; they do not check cells.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import numpy.typing as npt
import pytest

from xner.alignment.links import METHODS, extract, extract_batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

Matrix = npt.NDArray[np.float32]
PairsAndScores = tuple[npt.NDArray[np.intp], Matrix]

PAIRS = 256  # sentence pairs a batch
PIECES = 40


def similarities(count: int, rows: int, columns: int) -> Matrix:
    """Of cosines, in [0, 1]; count x rows x columns."""
    generator = np.random.default_rng(rows)
    source = generator.normal(size=(count, rows, 64))
    drift = generator.normal(scale=1.5, size=(count, columns))
    partner = np.rint(np.arange(columns) * rows / columns + drift).clip(0, rows - 1).astype(int)
    target = source[np.arange(count)[:, np.newaxis], partner] + generator.normal(size=(count, columns, 64))
    alone = generator.random((count, columns)) < 0.15
    target[alone] = generator.normal(size=(int(alone.sum()), 64))
    source /= np.linalg.norm(source, axis=2, keepdims=True)
    target /= np.linalg.norm(target, axis=2, keepdims=True)
    return np.asarray((source @ target.transpose(0, 2, 1) + 1) / 2, dtype=np.float32)


def logits(count: int, rows: int, columns: int) -> Matrix:
    """The same cosines spread over [-25, 25], so that softmax links about two cells a row."""
    return (similarities(count, rows, columns) * 50 - 25).astype(np.float32)


def cells(method: str, count: int, rows: int, columns: int) -> Matrix:
    return (logits if method in {"softmax", "entmax15"} else similarities)(count, rows, columns)


def numpy_mutual(matrix: npt.NDArray[Any]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    rows = np.arange(len(matrix))
    columns = matrix.argmax(axis=1)
    mutual = matrix.argmax(axis=0)[columns] == rows
    return rows[mutual], columns[mutual]


def numpy_itermax(matrix: Matrix, max_count: int = 2, alpha: float = 0.9) -> PairsAndScores:
    linked = np.zeros(matrix.shape, np.bool_)
    linked[numpy_mutual(matrix)] = True
    if min(matrix.shape) > 2:
        for _ in range(max_count - 1):
            free_rows = np.logical_not(linked.any(axis=1))
            free_columns = np.logical_not(linked.any(axis=0))
            if not free_rows.any() or not free_columns.any():
                break
            weights = np.minimum(1, alpha * free_rows[:, np.newaxis] + alpha * free_columns)
            rows, columns = numpy_mutual(matrix * weights)
            new = free_rows[rows] | free_columns[columns]
            if not new.any():
                break
            linked[rows[new], columns[new]] = True
    return np.argwhere(linked), matrix[linked]


def numpy_softmax(matrix: Matrix, threshold: float = 0.001) -> PairsAndScores:
    by_row = np.exp(matrix - matrix.max(axis=1, keepdims=True))
    by_row /= by_row.sum(axis=1, keepdims=True)
    by_column = np.exp(matrix - matrix.max(axis=0))
    by_column /= by_column.sum(axis=0)
    probability = np.minimum(by_row, by_column)
    linked = np.greater(probability, threshold)
    return np.argwhere(linked), probability[linked]


def networkx_mwmf(matrix: Matrix) -> PairsAndScores:
    graph: nx.Graph[Any] = nx.Graph()
    rows, columns = matrix.shape
    graph.add_weighted_edges_from((i, rows + j, float(matrix[i, j])) for i in range(rows) for j in range(columns))
    found = np.array(sorted(sorted(edge) for edge in nx.max_weight_matching(graph, maxcardinality=True)))
    found[:, 1] -= rows
    return found, matrix[found[:, 0], found[:, 1]]


PEERS: dict[str, Callable[[Matrix], PairsAndScores]] = {
    "itermax": numpy_itermax,
    "softmax": numpy_softmax,
    "mwmf": networkx_mwmf,
}


def fastest(run: Callable[[], object], rounds: int) -> float:
    """Seconds of the quickest round."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("method", sorted(METHODS))
def test_batch(benchmark: BenchmarkFixture, method: Any, threads: int) -> None:
    """40 x 40 pieces, a batch at a time, beside the peer one matrix at a time."""
    batch = cells(method, PAIRS, PIECES, PIECES)
    found = extract_batch(batch, method, threads=threads)
    assert found.equals(extract_batch(list(batch), method))
    benchmark(extract_batch, batch, method, threads=threads)
    ours = benchmark.stats.stats.min / PAIRS  # type: ignore[union-attr]  # set by the run
    benchmark.extra_info.update(us_per_matrix=round(ours * 1e6, 2), links_per_matrix=len(found.values) / PAIRS)
    if method not in PEERS:
        return
    peer = PEERS[method]
    sample = batch[: 2 if method == "mwmf" else 32]
    for matrix in sample:
        links, (pairs, scores) = extract(matrix, method), peer(matrix)
        if method == "mwmf":  # there may be several matchings of the same total
            assert links.scores.sum(dtype=float) == pytest.approx(scores.sum(dtype=float), abs=1e-5)
        else:
            assert links.pairs.tolist() == pairs.tolist()
            assert links.scores == pytest.approx(scores, rel=1e-4)
    theirs = fastest(lambda: [peer(matrix) for matrix in sample], 1 if method == "mwmf" else 60) / len(sample)
    again = fastest(lambda: extract_batch(batch, method, threads=threads), 60) / PAIRS
    benchmark.extra_info.update(
        peer_us_per_matrix=round(theirs * 1e6, 1), times_as_fast=round(theirs / min(ours, again), 1)
    )


@pytest.mark.parametrize("method", ["itermax", "mwmf", "softmax"])
def test_single_call(benchmark: BenchmarkFixture, method: Any) -> None:
    """One matrix a call, with what calls from Python cost."""
    matrix = cells(method, 1, PIECES, PIECES)[0]
    benchmark(extract, matrix, method)


@pytest.mark.parametrize("method", ["fwd", "inter", "itermax", "softmax", "entmax15"])
def test_time_is_linear_in_the_cells(method: Any) -> None:
    """20 x 20 to 640 x 640 pieces: time a cell."""
    nanoseconds = {}
    for size in (20, 40, 80, 160, 320, 640):
        count = max(2, 640 * 640 // size**2 // 4)
        batch = cells(method, count, size, size)
        seconds = fastest(partial(extract_batch, batch, method, threads=1), 10)
        nanoseconds[size] = round(seconds / batch.size * 1e9, 2)
    print(f"\n{method}: ns a cell by size: {nanoseconds}")
    assert nanoseconds[640] < 2 * nanoseconds[40]
