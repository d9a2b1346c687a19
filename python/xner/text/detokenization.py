"""Words joined to text as it is written, for models that read text."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from xner.text.scripts import is_unspaced

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["detokenize", "detokenize_with_places"]

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
    return detokenize_with_places(words)[0]


def detokenize_with_places(words: Iterable[str]) -> tuple[str, list[tuple[int, int]]]:
    """`detokenize`, and where each word is in the text.

    Returns:
        The text, and first character and one past the last of each word; the same place twice for those left out.
    """
    given = list(words)
    last = max((number for number, word in enumerate(given) if word.strip()), default=-1)
    parts: list[str] = []
    places: list[tuple[int, int]] = []
    end = 0
    glued = True  # whether the next word follows without a blank
    quoted = False  # whether a quotation mark is open
    for number, word in enumerate(given):
        if not word.strip():
            places.append((end, end))
            continue
        quote = word in _QUOTES
        closes = word in _CLOSING or word in _CONTRACTIONS or (quote and (quoted or number == last))
        if not (glued or closes or (_is_without_blanks(parts[-1][-1]) and _is_without_blanks(word[0]))):
            parts.append(" ")
            end += 1
        parts.append(word)
        places.append((end, end + len(word)))
        end += len(word)
        opens = quote and not closes
        quoted = opens or (quoted and not quote)
        glued = opens or word in _OPENING
    return "".join(parts), places


def _is_without_blanks(character: str) -> bool:
    """Whether it belongs to a script without blanks, or is punctuation as wide as their characters."""
    wide = unicodedata.east_asian_width(character) in {"W", "F"} and not character.isalnum()
    return wide or is_unspaced(character)
