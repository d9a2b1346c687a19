"""Fitting an aligner: at once, or block by block where the corpus is too large for that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

import xner._core as _core
from xner._support.memory import available_memory, memory_size
from xner._support.sentences import to_arrow
from xner._version import __version__
from xner.alignment._blocks import EMPTY, fit_blocks
from xner.alignment._folding import check_words, row_offsets
from xner.alignment._model_file import Fitted, TrainedOn, core_options
from xner.alignment._vocabulary import Vocabulary
from xner.errors import DataError, Error
from xner.schema import SOURCE_TOKENS, TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xner._support.progress import Reporter
    from xner._support.sentences import Sentences
    from xner.alignment._blocks import Engine
    from xner.alignment.lexicon import Lexicon
    from xner.alignment.options import AlignerOptions

__all__ = ["MOST_CELLS", "Pairs", "cells_of", "fit", "in_parts", "parallel", "pieces", "without_too_long"]

Pairs: TypeAlias = "tuple[pa.Array[Any], pa.Array[Any]]"
"""The words of both sides, row by row."""

MOST_CELLS: Final = 25_000_000
"""A pair of sentences with more cells (source words times target words) is too long: 5000 words on each side, say."""

# Measured: what a fit takes for a cell, and an expected link that is kept while blocks are merged.
_BYTES_PER_CELL: Final = 56
_BYTES_PER_ENTRY: Final = 24
_SHARE_OF_A_BLOCK: Final = 0.6

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


@dataclass(frozen=True, slots=True)
class _Limits:
    """What fits into memory.

    Attributes:
        memory: in all, in bytes.
        cells: of a block.
        entries: expected links that are kept on a level.
    """

    memory: int
    cells: int
    entries: int

    @classmethod
    def of(cls, max_memory: int | str | None, levels: int) -> _Limits:
        size = available_memory() // 2 if max_memory is None else memory_size("max_memory", max_memory)
        block = int(size * _SHARE_OF_A_BLOCK)
        return cls(size, max(1, block // _BYTES_PER_CELL), max(1, (size - block) // (_BYTES_PER_ENTRY * levels)))


def _blocks(parts: Iterable[Pairs], most: int) -> Iterator[Pairs]:
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


def fit(
    parts: Iterable[Pairs],
    options: AlignerOptions,
    *,
    max_memory: int | str | None,
    threads: int,
    progress: Reporter,
    cells: npt.NDArray[np.int64] | None = None,
    lexicon: Lexicon | None = None,
    engine: Engine | None = None,
) -> Fitted:
    """Learn from a corpus that comes in parts.

    Args:
        parts: of the corpus; nothing of one is needed when the next one is asked for, unless they are small.
        options: of the aligner.
        max_memory: bytes, or a size like `2GB`; None for half of what is free.
        threads: 0 for one per core.
        progress: told `fit`, the iterations done, and their total so far.
        cells: by pair, where that is known: blocks are then of about one size.
        lexicon: what is known of the languages beforehand.
        engine: works on the blocks where there are several; None for this process.
    """
    vocabulary = Vocabulary(options, lexicon)
    limits = _Limits.of(max_memory, vocabulary.sides[0].levels)
    most = limits.cells
    if cells is not None and (total := int(cells.sum())) > most:
        count = -(-total // most)
        most = -(-total // count) + int(cells.max())  # so that no rest is left
    blocks = _blocks(parts, most)
    first, second = next(blocks, EMPTY), next(blocks, None)
    if second is None:
        source, target = vocabulary.number(first)
        model = _core.fit_aligner(
            vocabulary.corpus(source, target), core_options(options), threads=threads, progress=partial(progress, "fit")
        )
        trained_on = TrainedOn(len(source.offsets) - 1, len(source.words), len(target.words), __version__)
    else:
        model, trained_on, vocabulary = fit_blocks(
            chain([first, second], blocks),
            options,
            vocabulary,
            most_entries=limits.entries,
            memory=limits.memory,
            threads=threads,
            progress=progress,
            engine=engine,
        )
    if lexicon is not None:
        trained_on = replace(trained_on, lexicon=(len(lexicon.entries), vocabulary.hits))
    forms = ([_core.TextIndex.of(side.forms(level, 0)) for level in range(side.levels)] for side in vocabulary.sides)
    return Fitted(model, options, trained_on, [*zip(*forms, strict=True)])
