"""Target spans that a source entity may be projected onto."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xner import _core
from xner._arguments import whole_number, words

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ngram"]


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
