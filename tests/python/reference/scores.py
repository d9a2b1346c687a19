"""Alignment scores in plain Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["alignment", "score"]

Span = tuple[int, int]
Link = tuple[int, int]


def score(
    entity: Span,
    span: Span,
    links: Sequence[Link],
    *,
    count: str = "links",
    link_scores: Sequence[float] | None = None,
) -> float:
    """Score of one pair; links given twice count once, with their best score."""
    between: dict[Link, float] = {}
    for index, (source, target) in enumerate(links):
        if entity[0] <= source < entity[1] and span[0] <= target < span[1]:
            weight = 1.0 if link_scores is None else link_scores[index]
            between[source, target] = max(between.get((source, target), weight), weight)
    words = (entity[1] - entity[0]) + (span[1] - span[0])
    if count == "links":
        return 2 * len(between) / words
    if count == "words":
        return (len({source for source, _ in between}) + len({target for _, target in between})) / words
    return 2 * sum(between.values()) / words


def alignment(
    entities: Sequence[Span],
    spans: Sequence[Span],
    links: Sequence[Link],
    *,
    count: str = "links",
    link_scores: Sequence[float] | None = None,
) -> list[tuple[int, int, int, float]]:
    """`(entity, start, end, score)` for all pairs with a positive score, entity by entity, in the spans' order."""
    pairs = []
    for index, entity in enumerate(entities):
        for span in spans:
            value = score(entity, span, links, count=count, link_scores=link_scores)
            if value > 0:
                pairs.append((index, *span, value))
    return pairs
