"""Offsets of characters in the units of other languages."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

__all__ = ["Utf16"]


class Utf16:
    """A text's places in UTF-16 units, as Java and JavaScript count them, of which rarer characters have two.

    Args:
        text: any text.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._units = [0] if text.isascii() else list(accumulate((1 + (ord(c) > 0xFFFF) for c in text), initial=0))

    def unit(self, character: int) -> int:
        """The unit at which a character begins."""
        return character if len(self._units) == 1 else self._units[character]

    def character(self, unit: int) -> int:
        """The character that has a unit."""
        return unit if len(self._units) == 1 else bisect_right(self._units, unit) - 1

    def slice(self, start: int, end: int) -> str:
        """The characters between two units."""
        return self._text[self.character(start) : self.character(end)]
