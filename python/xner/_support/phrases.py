"""Pieces of messages."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["number_of", "of_normalization", "printable"]

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


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


def printable(text: str) -> str:
    """A text of which a terminal obeys nothing: control characters but tabs and line ends are written as escapes."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
