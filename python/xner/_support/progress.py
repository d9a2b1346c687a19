"""How long work tells how far it has come, and where messages go: the library never prints."""

from __future__ import annotations

import logging
from typing import Protocol

__all__ = ["Reporter", "logger", "silent", "usage_logger"]

logger = logging.getLogger("xner")
"""The one that all of the library writes to."""

usage_logger = logger.getChild("usage")
"""Gets what services outside were used for, which may cost money: the command line shows it."""


class Reporter(Protocol):
    """Told how far long work has come: what is done, how many of how many units."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take note; called from the working thread."""


def silent(what: str, done: int, total: int) -> None:
    """Report nothing."""
