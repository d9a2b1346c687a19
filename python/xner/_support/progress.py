"""How long work tells how far it has come, and where messages go: the library never prints."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Reporter", "each_once", "logger", "silent", "usage_logger"]

logger = logging.getLogger("xner")
"""The one that all of the library writes to."""

usage_logger = logger.getChild("usage")
"""Gets what services outside were used for, which may cost money: the command line shows it."""


@contextmanager
def each_once() -> Iterator[None]:
    """What the library says is said once in here, as where files are read several times."""
    said: set[str] = set()

    def is_new(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if text in said:
            return False
        said.add(text)
        return True

    logger.addFilter(is_new)
    try:
        yield
    finally:
        logger.removeFilter(is_new)


class Reporter(Protocol):
    """Told how far long work has come: what is done, how many of how many units."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take note; called from the working thread."""


def silent(what: str, done: int, total: int) -> None:
    """Report nothing."""
