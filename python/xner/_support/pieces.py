"""Work on rows piece by piece: the next piece is made while the one before is worked on."""

from __future__ import annotations

import queue
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

__all__ = ["PIECE_ROWS", "WholeNeededError", "ahead"]

PIECE_ROWS: Final = 100_000
"""Rows a piece: enough that what a call costs does not count, and tens of megabytes."""

T = TypeVar("T")
_WAIT: Final = 0.05  # seconds after which a thread looks whether anyone still wants what it makes


class WholeNeededError(Exception):
    """What was made of earlier pieces does not hold for all rows: they are to be read as a whole."""


def ahead(items: Generator[T, Any, Any], most: int = 1) -> Iterator[T]:
    """The same items, made by a thread of their own.

    Args:
        items: made there; closed in the end, also where not all were asked for.
        most: how many may wait to be asked for.

    Raises:
        BaseException: whatever making an item raises, when it is asked for.
    """
    waiting: queue.Queue[tuple[bool, Any]] = queue.Queue(most)
    is_over = threading.Event()

    def hand_over(is_item: bool, value: Any) -> None:
        while not is_over.is_set():
            try:
                waiting.put((is_item, value), timeout=_WAIT)
            except queue.Full:
                continue
            return

    def work() -> None:
        with closing(items):
            try:
                for item in items:
                    hand_over(True, item)
                    if is_over.is_set():
                        return
                hand_over(False, None)
            except BaseException as error:
                hand_over(False, error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            is_item, value = waiting.get()
            if is_item:
                yield value
                del value  # or it would stay until the next one is there
            elif value is None:
                return
            else:
                raise value
    finally:
        is_over.set()
        thread.join()
