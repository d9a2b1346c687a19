"""Scripts whose words are not set apart by blanks."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

__all__ = ["UNSPACED_CODES", "is_unspaced"]

# Names of their characters begin like this in the Unicode database.
_NAMES = ("CJK ", "HIRAGANA ", "KATAKANA ", "THAI ", "LAO ", "KHMER ", "MYANMAR ", "TIBETAN ", "YI ")

UNSPACED_CODES: Final = frozenset({"Hans", "Hant", "Hani", "Jpan", "Thai", "Laoo", "Khmr", "Mymr", "Tibt", "Yiii"})
"""Their codes in ISO 15924, as language codes have them: `zho_Hans`."""


@cache
def is_unspaced(character: str) -> bool:
    """Whether a character belongs to one of these scripts; combining marks and punctuation of theirs do, too."""
    return not character.isascii() and unicodedata.name(character, "").startswith(_NAMES)
