"""Target spans that a source entity may be projected onto."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xner._core as _core
from xner._support.arguments import whole_number, words
from xner._support.faces import listing
from xner.projection._sentence_pair import sentence_pair
from xner.projection.options import ProjectionOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner._support.records import EntitiesLike, LinksLike

__all__ = ["aligned", "aligned_ends", "ngram"]

__dir__ = listing(__all__)

Spans = list[tuple[int, int]]


def ngram(
    target_tokens: Sequence[str],
    *,
    min_words: int = 1,
    max_words: int | None = None,
    stop_words: Sequence[str] = ("!", "?"),
) -> Spans:
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


def aligned(
    target_tokens: Sequence[str],
    source_entities: EntitiesLike,
    links: LinksLike,
    *,
    min_words: int = 1,
    max_words: int | None = None,
    stop_words: Sequence[str] = ("!", "?"),
) -> list[Spans]:
    """For every entity, those spans that lie between its leftmost and rightmost linked word.

    Args:
        target_tokens: the target words.
        source_entities: `(start, end, label)` over source words.
        links: `(source, target)` word indices.
        min_words: as for `ngram`, as are all others.
        max_words: likewise.
        stop_words: likewise.

    Returns:
        Of each entity the spans, as `ngram` orders them; none for an entity without links.

    Raises:
        DataError: malformed words, spans or links.
        Error: a length that is not a whole number in its range.

    Source: Shkalikov 2024.
    """
    stops = tuple(words("stop_words", stop_words))
    options = ProjectionOptions(candidates="aligned", min_words=min_words, max_words=max_words, stop_words=stops)
    return _of_entities(target_tokens, source_entities, links, options)


def aligned_ends(
    target_tokens: Sequence[str],
    source_entities: EntitiesLike,
    links: LinksLike,
    *,
    min_words: int = 1,
    max_words: int | None = None,
    stop_words: Sequence[str] = ("!", "?"),
) -> list[Spans]:
    """For every entity, those spans whose first and last word are linked to it.

    Args:
        target_tokens: as for `aligned`, as are all others.
        source_entities: likewise.
        links: likewise.
        min_words: likewise.
        max_words: likewise.
        stop_words: likewise.

    Returns:
        As for `aligned`.

    Raises:
        DataError: as for `aligned`.
        Error: likewise.
    """
    stops = tuple(words("stop_words", stop_words))
    options = ProjectionOptions(candidates="aligned_ends", min_words=min_words, max_words=max_words, stop_words=stops)
    return _of_entities(target_tokens, source_entities, links, options)


def _of_entities(
    target_tokens: Sequence[str],
    source_entities: EntitiesLike,
    links: LinksLike,
    options: ProjectionOptions,
) -> list[Spans]:
    pair = sentence_pair(target_tokens, source_entities, links, options)
    return [list(map(tuple, spans.tolist())) for spans in _core.entity_candidates(pair, options.to_core())]
