"""Pieces of messages."""

from __future__ import annotations

__all__ = ["number_of"]


def number_of(count: int, what: str) -> str:
    """A number of things: `1 row`, `2 rows`.

    Args:
        count: how many there are.
        what: one of them; its plural has an `s` behind it.
    """
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
