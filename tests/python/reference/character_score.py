"""Edit similarities in plain Python."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["distance", "fold", "score"]


def fold(text: str) -> str:
    """Lower case, without diacritics."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)) or text


def distance(a: str, b: str) -> int:
    """Levenshtein distance by its table."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (x != y))
    return row[-1]


def score(
    source: Sequence[str],
    target: Sequence[str],
    entity: tuple[int, int],
    span: tuple[int, int],
    *,
    threshold: float = 0.7,
) -> float:
    """Similarity of an entity and a span of folded words joined without blanks; 0 up to the threshold."""
    a, b = ("".join(map(fold, words[slice(*own)])) for words, own in ((source, entity), (target, span)))
    value = 1 - distance(a, b) / max(len(a), len(b), 1)
    return value if value > threshold else 0.0
