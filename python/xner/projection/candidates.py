"""Target spans that a source entity may be projected onto."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

import xner._core as _core
from xner._support.arguments import whole_number, words

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["aligned", "aligned_ends", "ngram"]

Spans = npt.NDArray[np.integer]


def ngram(
    target_tokens: Sequence[str],
    *,
    min_words: int = 1,
    max_words: int | None = None,
    stop_words: Sequence[str] = ("!", "?"),
) -> list[tuple[int, int]]:
    """Every span of `min_words` to `max_words` words that holds no stop word.

    Args:
        target_tokens: the target words.
        min_words: shortest span, in words, from 1 on.
        max_words: longest span, in words; None for no limit.
        stop_words: words that no span may hold.

    Returns:
        `(start, end)`, half-open word indices, ordered by start, then end: O(words²) of them.

    Raises:
        DataError: a word is not a string.
        Error: a length that is not a whole number in its range.

    Source: Politov et al. 2025, section 3.2.
    """
    return _core.ngram_candidates(
        words("tokens", target_tokens),
        min_words=whole_number("min_words", min_words, 1),
        max_words=None if max_words is None else whole_number("max_words", max_words, 0),
        stop_words=words("stop_words", stop_words),
    )


def aligned(spans: Spans, linked: Sequence[int]) -> Spans:
    """Those spans that lie between an entity's leftmost and rightmost linked word.

    Args:
        spans: target spans, (spans × 2).
        linked: the target words that the entity's words are linked to, in any order; with none there are no spans.

    Source: Shkalikov 2024.
    """
    if not linked:
        return spans[:0]
    return spans[(spans[:, 0] >= min(linked)) & (spans[:, 1] <= max(linked) + 1)]


def aligned_ends(spans: Spans, linked: Sequence[int]) -> Spans:
    """Those spans whose first and last word are linked to an entity.

    Args:
        spans: target spans, (spans × 2).
        linked: the target words that the entity's words are linked to, in any order.
    """
    ends = np.asarray(linked, np.int64)
    return spans[np.isin(spans[:, 0], ends) & np.isin(spans[:, 1] - 1, ends)]
