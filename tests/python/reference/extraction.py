"""Word links out of similarity matrices, cell by cell in plain Python with double precision."""

from __future__ import annotations

from itertools import permutations
from math import exp, fsum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "best_total",
    "distorted",
    "entmax15",
    "forward",
    "intersect",
    "itermax",
    "probable",
    "reverse",
    "softmax",
    "unite_words",
]

Matrix = list[list[float]]
Link = tuple[int, int]


def _transposed(matrix: Matrix) -> Matrix:
    return [list(column) for column in zip(*matrix, strict=True)]


def forward(matrix: Matrix) -> set[Link]:
    """Each row's first best column."""
    return {(i, row.index(max(row))) for i, row in enumerate(matrix)}


def reverse(matrix: Matrix) -> set[Link]:
    """Each column's first best row."""
    return {(i, j) for j, i in forward(_transposed(matrix))}


def intersect(matrix: Matrix) -> set[Link]:
    """What both directions say."""
    return forward(matrix) & reverse(matrix)


def itermax(matrix: Matrix, max_count: int = 2, alpha: float = 0.9) -> set[Link]:
    """Jalili Sabet et al. 2020, algorithm 1: the intersection, then again over weighed cells."""
    links = intersect(matrix)
    if min(len(matrix), len(matrix[0])) <= 2:
        return links
    for _ in range(max_count - 1):
        free_rows = [all(i != source for source, _ in links) for i in range(len(matrix))]
        free_columns = [all(j != target for _, target in links) for j in range(len(matrix[0]))]
        if not any(free_rows) or not any(free_columns):
            break
        weighed = [
            [cell * min(1.0, alpha * free_rows[i] + alpha * free_columns[j]) for j, cell in enumerate(row)]
            for i, row in enumerate(matrix)
        ]
        new = {(i, j) for i, j in intersect(weighed) if free_rows[i] or free_columns[j]}
        if not new:
            break
        links |= new
    return links


def best_total(matrix: Matrix) -> float:
    """The highest total of a matching with as many links as the shorter side has cells, by trying all."""
    if len(matrix) > len(matrix[0]):
        matrix = _transposed(matrix)
    choices = permutations(range(len(matrix[0])), len(matrix))
    return max(fsum(row[j] for row, j in zip(matrix, columns, strict=True)) for columns in choices)


def distorted(matrix: Matrix, distortion: float) -> Matrix:
    """Cells times `1 - distortion * d**2` for the distance `d` from the diagonal."""
    rows, columns = len(matrix), len(matrix[0])
    if rows < 2 or columns < 2:
        return matrix
    return [
        [cell * (1 - distortion * (i / (rows - 1) - j / (columns - 1)) ** 2) for j, cell in enumerate(row)]
        for i, row in enumerate(matrix)
    ]


def softmax(values: Sequence[float]) -> list[float]:
    """Exponentials divided by their sum."""
    highest = max(values)
    exponentials = [exp(value - highest) for value in values]
    return [value / fsum(exponentials) for value in exponentials]


def entmax15(values: Sequence[float]) -> list[float]:
    """`max(value / 2 - tau, 0) ** 2`, with the tau that makes them sum up to 1 found by bisection."""
    halves = [value / 2 for value in values]
    low, high = max(halves) - 1, max(halves)
    for _ in range(200):
        tau = (low + high) / 2
        if fsum(max(half - tau, 0) ** 2 for half in halves) >= 1:
            low = tau
        else:
            high = tau
    return [max(half - low, 0) ** 2 for half in halves]


def probable(
    matrix: Matrix, distribution: Callable[[Sequence[float]], list[float]], null: float | None = None
) -> Matrix:
    """The smaller one of a cell's probabilities along its row and its column; 0 where "no word" is as probable."""

    def along_rows(rows: Matrix) -> Matrix:
        if null is None:
            return [distribution(row) for row in rows]
        with_null = [distribution([*row, null]) for row in rows]
        return [[p if p > row[-1] else 0.0 for p in row[:-1]] for row in with_null]

    by_row, by_column = along_rows(matrix), _transposed(along_rows(_transposed(matrix)))
    return [[min(pair) for pair in zip(*rows, strict=True)] for rows in zip(by_row, by_column, strict=True)]


def unite_words(
    links: dict[Link, float], source_words: Sequence[int] | None, target_words: Sequence[int] | None
) -> dict[Link, float]:
    """Links of pieces as links of words, each with its best score."""
    words: dict[Link, float] = {}
    for (i, j), score in links.items():
        source = i if source_words is None else source_words[i]
        target = j if target_words is None else target_words[j]
        if source >= 0 and target >= 0:
            words[source, target] = max(score, words.get((source, target), score))
    return words
