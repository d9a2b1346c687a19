"""Pieces of messages."""

from __future__ import annotations

import unicodedata

__all__ = ["number_of", "of_normalization"]


def of_normalization(one: str, other: str) -> str:
    """The end of a message about two texts that look the same and are not; empty about others.

    Args:
        one: a text.
        other: the other one.
    """
    if one == other or unicodedata.normalize("NFC", one) != unicodedata.normalize("NFC", other):
        return ""
    return "; they differ in their Unicode normalization alone: `unicodedata.normalize` of Python makes NFC of both"


def number_of(count: int, what: str) -> str:
    """A number of things: `1 row`, `2 rows`.

    Args:
        count: how many there are.
        what: one of them; its plural has an `s` behind it.
    """
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
