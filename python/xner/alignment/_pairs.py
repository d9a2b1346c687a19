"""The two sides of a corpus, whole, in parts or in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from xner._support.sentences import to_arrow
from xner.alignment._folding import check_words, row_offsets
from xner.errors import DataError, Error
from xner.schema import SOURCE_TOKENS, TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xner._support.sentences import Sentences

__all__ = [
    "EMPTY",
    "MOST_CELLS",
    "Pairs",
    "blocks_of",
    "cells_of",
    "in_parts",
    "parallel",
    "pieces",
    "without_too_long",
]

Pairs: TypeAlias = "tuple[pa.Array[Any], pa.Array[Any]]"
"""The words of both sides, row by row."""

MOST_CELLS: Final = 25_000_000
"""A pair of sentences with more cells (source words times target words) is too long: 5000 words on each side, say."""

EMPTY: Final = (pa.array([], pa.list_(pa.string())), pa.array([], pa.list_(pa.string())))
"""No sentence pairs."""

_ROWS_OF_A_PART: Final = 65_536


def parallel(source: Sentences, target: Sentences) -> Pairs:
    """Both sides as arrays.

    Raises:
        Error: they have different numbers of rows.
        DataError: a row is not a list of words.
    """
    sides = to_arrow(source, SOURCE_TOKENS), to_arrow(target, TOKENS)
    rows = [len(side) for side in sides]
    if rows[0] != rows[1]:
        raise Error(
            f"expected as many target as source sentences, found {rows[0]} source and {rows[1]} target sentences"
        )
    for side, column in zip(sides, (SOURCE_TOKENS, TOKENS), strict=True):
        check_words(side, column)
    return sides


def in_parts(source: Sentences, target: Sentences) -> Iterator[Pairs]:
    """Both sides as `parallel` gives them, columns of tables part by part, so that they are not copied as a whole."""
    if not isinstance(source, pa.ChunkedArray) or not isinstance(target, pa.ChunkedArray) or len(source) != len(target):
        yield parallel(source, target)
        return
    for first in range(0, max(1, len(source)), _ROWS_OF_A_PART):
        try:
            yield parallel(source.slice(first, _ROWS_OF_A_PART), target.slice(first, _ROWS_OF_A_PART))
        except DataError as error:
            raise error.behind(first) from None


def cells_of(pairs: Pairs) -> npt.NDArray[np.int64]:
    """By row, source words times target words."""
    source, target = (np.diff(row_offsets(side)) for side in pairs)
    cells: npt.NDArray[np.int64] = source * target
    return cells


def pieces(cells: npt.NDArray[np.int64], most: int) -> Iterator[slice]:
    """Consecutive rows with at most so many cells together, or a single row with more."""
    ends = np.cumsum(cells)
    first, done = 0, 0
    while first < len(cells):
        last = max(first + 1, int(np.searchsorted(ends, done + most, side="right")))
        yield slice(first, last)
        first, done = last, int(ends[last - 1])


def blocks_of(parts: Iterable[Pairs], most: int) -> Iterator[Pairs]:
    """Parts of a corpus brought to blocks of at most so many cells, without the pairs that are too long."""
    kept: list[Pairs] = []
    room = most
    for part in map(without_too_long, parts):
        cells = cells_of(part)
        first = 0
        while first < len(cells):
            ends = np.cumsum(cells[first:])
            count = int(np.searchsorted(ends, room, side="right"))
            if count == 0 and kept:
                yield _together(kept)
                kept, room = [], most
                continue
            count = max(1, count)  # a pair with more than a block is one by itself
            kept.append((part[0].slice(first, count), part[1].slice(first, count)))
            first, room = first + count, room - int(ends[count - 1])
    if kept:
        yield _together(kept)


def without_too_long(pairs: Pairs) -> Pairs:
    """Pairs of which those that are too long have no words."""
    fits = cells_of(pairs) <= MOST_CELLS
    if fits.all():
        return pairs
    source, target = (pc.if_else(pa.array(fits), side, pa.scalar(None, side.type)) for side in pairs)
    return source, target


def _together(parts: list[Pairs]) -> Pairs:
    if len(parts) == 1:
        return parts[0]
    return pa.concat_arrays([one for one, _ in parts]), pa.concat_arrays([other for _, other in parts])
