"""Target spans that a source entity may be projected onto."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

import xner._core as _core
from xner._support.arguments import integer_array, whole_number, words
from xner._support.records import span_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner._support.records import SpansLike

__all__ = ["aligned", "aligned_ends", "ngram"]

SpanArray = npt.NDArray[np.int32]


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


def aligned(spans: SpansLike, linked: npt.ArrayLike) -> SpanArray:
    """Those spans that lie between an entity's leftmost and rightmost linked word.

    Args:
        spans: target spans, (spans × 2), or `(start, end)` in any form, such as what `ngram` returns.
        linked: the target words that the entity's words are linked to, in any order; with none there are no spans.

    Returns:
        An array, spans × 2, int32.

    Raises:
        DataError: something else than spans or words.

    Source: Shkalikov 2024.
    """
    array, words = span_array("spans", spans), integer_array("linked", linked, np.int32)
    if not words.size:
        return array[:0]
    first, last = int(words.min()), int(words.max())
    return array[(array[:, 0] >= first) & (array[:, 1] <= last + 1)]


def aligned_ends(spans: SpansLike, linked: npt.ArrayLike) -> SpanArray:
    """Those spans whose first and last word are linked to an entity.

    Args:
        spans: target spans, (spans × 2), or `(start, end)` in any form, such as what `ngram` returns.
        linked: the target words that the entity's words are linked to, in any order.

    Returns:
        An array, spans × 2, int32.

    Raises:
        DataError: something else than spans or words.
    """
    array, ends = span_array("spans", spans), integer_array("linked", linked, np.int32)
    return array[np.isin(array[:, 0], ends) & np.isin(array[:, 1] - 1, ends)]
