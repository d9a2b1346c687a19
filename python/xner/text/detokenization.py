"""Words joined to text as it is written, for models that read text."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from xner.text.scripts import is_unspaced

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["detokenize"]

_CLOSING: Final = frozenset([*".,;:!?%)]}…’'›،؛؟।॥።፣、。，．！？：；）］｝」』】》〉", "...", "''"])
_CONTRACTIONS: Final = frozenset(
    f"{apostrophe}{ending}" for apostrophe in "'’" for ending in ("s", "m", "d", "re", "ve", "ll")
) | {"n't", "n’t"}
_OPENING: Final = frozenset([*"([{¿¡‹（［｛「『【《〈", "``"])
# Which of them open and which close differs between languages: „so“, “so”, »so«, « so ».
_QUOTES: Final = frozenset('"«»„“”‚‘')


def detokenize(words: Iterable[str]) -> str:
    """Join words to a text.

    There is a blank between two words unless the second one is closing punctuation or an English contraction, the first
    one is opening punctuation, or they meet in characters of scripts without blanks (Chinese, Japanese, Thai, Lao,
    Khmer, Burmese, Tibetan). Of quotation marks every other one opens; one at the end closes.

    Args:
        words: of a sentence, or of a part of it. Blank ones are left out.

    Returns:
        The text. No character is replaced: quotation marks, dashes and letters stay what they are.
    """
    kept = [word for word in words if word.strip()]
    text = ""
    glued = True  # whether the next word follows without a blank
    quoted = False  # whether a quotation mark is open
    for position, word in enumerate(kept):
        quote = word in _QUOTES
        closes = word in _CLOSING or word in _CONTRACTIONS or (quote and (quoted or position == len(kept) - 1))
        if not (glued or closes or (_is_without_blanks(text[-1]) and _is_without_blanks(word[0]))):
            text += " "
        text += word
        opens = quote and not closes
        quoted = opens or (quoted and not quote)
        glued = opens or word in _OPENING
    return text


def _is_without_blanks(character: str) -> bool:
    """Whether it belongs to a script without blanks, or is punctuation as wide as their characters."""
    wide = unicodedata.east_asian_width(character) in {"W", "F"} and not character.isalnum()
    return wide or is_unspaced(character)
