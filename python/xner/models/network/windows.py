"""Overlapping windows over sentences that are longer than a model takes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

__all__ = ["Window", "windows"]


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a sentence that a model sees at once.

    Attributes:
        start: its first piece.
        end: one past its last piece.
        keep_start: its first piece whose result counts; those before it count in another window.
        keep_end: one past the last such piece.
    """

    start: int
    end: int
    keep_start: int
    keep_end: int


def windows(pieces: int, capacity: int, overlap: int) -> list[Window]:
    """Cover a sentence with windows that a model can take.

    Args:
        pieces: in the sentence, at least one.
        capacity: most pieces in a window.
        overlap: least pieces that neighbours share, below `capacity`. Each piece counts in the window in which it is
            farther from the edge.

    Returns:
        Windows in order, whose kept parts follow each other without gaps.
    """
    if pieces <= capacity:
        return [Window(0, pieces, 0, pieces)]
    starts = [*range(0, pieces - capacity, capacity - overlap), pieces - capacity]
    edges = [0, *((before + capacity + after) // 2 for before, after in itertools.pairwise(starts)), pieces]
    return [
        Window(start, start + capacity, keep_start, keep_end)
        for start, (keep_start, keep_end) in zip(starts, itertools.pairwise(edges), strict=True)
    ]
