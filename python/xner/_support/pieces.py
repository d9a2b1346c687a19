"""Work on rows piece by piece: the next piece is made while the one before is worked on."""

from __future__ import annotations

import queue
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from xner.errors import DataError, Error

try:
    import resource
except ImportError:  # a system without it, where nothing is bounded
    resource = None  # type: ignore[assignment]  # a module elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    import pyarrow as pa

__all__ = [
    "PIECE_ROWS",
    "WholeNeededError",
    "ahead",
    "behind",
    "files_first",
    "has_room_for_threads",
    "map_pieces",
    "pieces_of",
]

PIECE_ROWS: Final = 100_000
"""Rows a piece: enough that what a call costs does not count, and tens of megabytes."""

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")
_WAIT: Final = 1.0  # seconds after which is looked whether the other thread is still there


def pieces_of(table: pa.Table, rows: int = PIECE_ROWS) -> Generator[pa.Table]:
    """The pieces of a table that is there as a whole; one without rows if it has none."""
    for first in range(0, max(1, table.num_rows), rows):
        yield table.slice(first, rows)


def map_pieces(function: Callable[[T], U], pieces: Generator[T, None, V]) -> Generator[U, None, V]:
    """What a function makes of each piece, none of which is held, and what the pieces return."""
    while True:
        try:
            made = function(next(pieces))
        except StopIteration as end:
            result: V = end.value
            return result
        yield made
        del made


@contextmanager
def behind(rows: int) -> Iterator[None]:
    """Counts, in errors, the rows that come before those that are looked at in the block.

    Args:
        rows: how many.
    """
    try:
        yield
    except DataError as error:
        raise error.behind(rows) from None


@contextmanager
def files_first(pieces: Iterable[object]) -> Iterator[None]:
    """Reads files to their end where something else is wrong with their rows: what is wrong with the files comes first.

    Args:
        pieces: that are read in the block.

    Raises:
        Error: as reading does; else that of the block.
    """
    try:
        yield
    except Error:
        for _ in pieces:
            pass
        raise


class WholeNeededError(Exception):
    """What was made of earlier pieces does not hold for all rows: they are to be read as a whole."""


def has_room_for_threads() -> bool:
    """Whether threads may be begun: not where the address space is bounded.

    Each takes much of it, and one that begins where there is none left ends without a word, while it is waited for.
    """
    return resource is None or resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY


def ahead(items: Generator[T, Any, Any]) -> Generator[T]:
    """The same items, made by a thread of their own: one while the one before it is worked on.

    Args:
        items: made there; closed in the end, also where not all were asked for.

    Raises:
        BaseException: whatever making an item raises, when it is asked for.
    """
    if not has_room_for_threads():
        yield from items
        return
    made: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()
    wanted = threading.Semaphore(1)
    is_over = False

    def work() -> None:
        with closing(items):
            try:
                while wanted.acquire() and not is_over:
                    made.put((True, next(items)))
            except StopIteration:
                made.put((False, None))
            except BaseException as error:
                made.put((False, error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            try:
                is_item, value = made.get(timeout=_WAIT)
            except queue.Empty:
                if thread.is_alive() or not made.empty():
                    continue
                raise MemoryError from None  # for a word of its own there was none
            if not is_item:
                break
            wanted.release()
            yield value
            del value  # or it would stay until the next one is there
        if value is not None:
            raise value
    finally:
        is_over = True
        wanted.release()
        thread.join()
