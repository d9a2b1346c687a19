"""How long work tells how far it has come, and where messages go: the library never prints."""

from __future__ import annotations

import logging
from typing import Protocol

__all__ = ["Reporter", "logger", "silent"]

logger = logging.getLogger("xner")
"""The one that all of the library writes to."""


class Reporter(Protocol):
    """Told how far long work has come: what is done, how many of how many units."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take note; called from the working thread."""


def silent(what: str, done: int, total: int) -> None:
    """Report nothing."""
