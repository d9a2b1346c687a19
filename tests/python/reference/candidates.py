"""Target spans in plain Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["aligned", "aligned_ends", "ngram"]

Span = tuple[int, int]


def ngram(
    tokens: Sequence[str],
    *,
    min_words: int = 1,
    max_words: int | None = None,
    stop_words: Collection[str] = ("!", "?"),
) -> list[Span]:
    """Every span of `min_words` to `max_words` words without a stop word, by start, then end."""
    longest = len(tokens) if max_words is None else max_words
    return [
        (start, end)
        for start in range(len(tokens))
        for end in range(start + 1, len(tokens) + 1)
        if min_words <= end - start <= longest and not any(word in stop_words for word in tokens[start:end])
    ]


def linked_words(entity: Span, links: Sequence[tuple[int, int]]) -> set[int]:
    """Target words that a source span's words are linked to."""
    return {target for source, target in links if entity[0] <= source < entity[1]}


def aligned(spans: Sequence[Span], entity: Span, links: Sequence[tuple[int, int]]) -> list[Span]:
    """Of `spans`, those between the entity's leftmost and rightmost linked word."""
    linked = linked_words(entity, links)
    return [(start, end) for start, end in spans if linked and min(linked) <= start and end <= max(linked) + 1]


def aligned_ends(spans: Sequence[Span], entity: Span, links: Sequence[tuple[int, int]]) -> list[Span]:
    """Of `spans`, those whose first and last word are linked to the entity."""
    linked = linked_words(entity, links)
    return [(start, end) for start, end in spans if start in linked and end - 1 in linked]
