"""Spellings that count as one: lower case without diacritics, plain punctuation."""

from __future__ import annotations

import unicodedata

__all__ = ["normalize"]

# Punctuation of other scripts and typographies by its plain counterpart.
_PUNCTUATION = str.maketrans("。、「」『』《》„“”«»‘’–—〜·", '.,"""""""""""\'\'---.')


def normalize(token: str) -> str:
    """Bring a token to lower case without diacritics: `Straße` -> `strasse`, `１２` -> `12`, `É` -> `e`.

    Never empty unless the token is: a token of nothing but combining marks stays as it is.
    """
    if token.isascii():
        return token.lower()
    decomposed = unicodedata.normalize("NFKD", token.casefold()).translate(_PUNCTUATION)
    return "".join(c for c in decomposed if not unicodedata.combining(c)) or token
