"""Files whose rows belong together, read piece by piece beside each other."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from xner._support.pieces import ahead
from xner.errors import Error

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

__all__ = ["InStep"]


class InStep:
    """Reads files that have as many rows each, a piece of every file at a time, each file in a thread of its own.

    Args:
        files: what reads each, in pieces of as many rows, tables or arrays; the first one says how many rows there are.
        check: is told the number of a file, the rows of the first one, and its own, once they were read to their ends,
            where these differ or reading failed; raises where they do.
    """

    def __init__(self, files: Sequence[Generator[Any, Any, Any]], check: Callable[[int, int, int], None]) -> None:
        self._readers, self._check = files, check
        self._counts = [0] * len(files)
        self._files: list[Iterator[Any]] = []

    def __iter__(self) -> Generator[list[Any]]:
        """A piece of every file.

        Raises:
            Error: what comes first: all of a file comes before those after it.
        """
        with ExitStack() as stack:
            self._files = [stack.enter_context(closing(ahead(one))) for one in self._readers]
            while (found := self._next()) is not None:
                yield found
                del found  # it is not held here while the next one is made

    def _next(self) -> list[Any] | None:
        """The next piece of each file; None where all have ended.

        Raises:
            Error: a file cannot be read on, or ends before others do.
        """
        found: list[Any] = []
        for place, file in enumerate(self._files):
            try:
                piece = next(file, None)
            except (Error, OSError):
                self._read_on(place)  # what files before this one have to say comes first
                raise
            found.append(piece)
            self._counts[place] += 0 if piece is None else len(piece)
        if len(set(self._counts)) > 1:
            self._read_on(len(self._files))
        return None if found[0] is None else found

    def _read_on(self, before: int) -> None:
        """Read the files before a place to their end, and see whether they have as many rows."""
        for place, file in enumerate(self._files[:before]):
            for piece in file:
                self._counts[place] += len(piece)
            self._check(place, self._counts[0], self._counts[place])
