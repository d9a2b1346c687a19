"""What the entries of a lexicon count: each cut, folded and looked up by itself, for every block anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner.alignment._folding import Numbering

Entry = tuple[str, str, float]


def lexicon_counts(
    entries: Sequence[Entry], numberings: tuple[Numbering, Numbering], scale: float
) -> tuple[list[dict[tuple[int, int], float]], int]:
    """By level, pairs of types and their pseudo-counts; and how many entries have all their words in sentences."""
    levels: list[dict[tuple[int, int], float]] = [{} for _ in range(numberings[0].levels)]
    hits = 0
    for source, target, weight in entries:
        ones, others = (side.words_of(text, 3) or [] for side, text in zip(numberings, (source, target), strict=True))
        share = 0.5 / (len(ones) * len(others)) if len(ones) * len(others) > 1 else 1.0
        known = bool(ones and others)
        for one in ones:
            for other in others:
                for level, pairs in enumerate(levels):
                    first, second = (
                        side.types_of(level, [side.forms_of(word)[level]])[0]
                        for side, word in zip(numberings, (one, other), strict=True)
                    )
                    if first >= 0 and second >= 0:
                        pairs[first, second] = max(pairs.get((first, second), 0.0), scale * (weight * share))
                    elif level == len(levels) - 1:
                        known = False
        hits += known
    return levels, hits
