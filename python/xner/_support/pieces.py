"""Work on rows piece by piece: the next piece is made while the one before is worked on."""

from __future__ import annotations

import queue
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["PIECE_ROWS", "WholeNeededError", "ahead"]

PIECE_ROWS: Final = 100_000
"""Rows a piece: enough that what a call costs does not count, and tens of megabytes."""

T = TypeVar("T")


class WholeNeededError(Exception):
    """What was made of earlier pieces does not hold for all rows: they are to be read as a whole."""


def ahead(items: Generator[T, Any, Any]) -> Generator[T]:
    """The same items, made by a thread of their own: one while the one before it is worked on.

    Args:
        items: made there; closed in the end, also where not all were asked for.

    Raises:
        BaseException: whatever making an item raises, when it is asked for.
    """
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
            is_item, value = made.get()
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
