"""The alignment score: how many word links a source entity and a target span share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xner.projection.options import Count, ProjectionOptions
from xner.projection.scores.pairs import ScoredPair, score_pairs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xner._support.records import EntitiesLike, LinksLike, SpansLike

__all__ = ["alignment"]


def alignment(
    target_tokens: Sequence[str],
    source_entities: EntitiesLike,
    links: LinksLike,
    *,
    candidates: SpansLike,
    count: Count = "links",
    link_scores: Iterable[float] | None = None,
) -> list[ScoredPair]:
    """Alignment scores of all pairs of an entity and a candidate that share a link.

    Args:
        target_tokens: the target words.
        source_entities: `(start, end, label)` over source words, or what has these names.
        links: `(source, target)` word indices, `(source, target, score)`, or what has these names; links given twice
            count once.
        candidates: `(start, end)` over target words, for instance `xner.candidates.ngram(target_tokens)`.
        count: as in `xner.project`.
        link_scores: one score a link, for `count="weighted"`, where the links have none of their own.

    Returns:
        The pairs with a positive score `2 · links / (entity words + span words)`, entity by entity, in the
        candidates' order.

    Raises:
        DataError: malformed spans or links.

    Source: Politov et al. 2025, equation 2, with the factor 2 of their program.
    """
    options = ProjectionOptions(candidates="given", count=count, ties="first")
    return score_pairs(target_tokens, source_entities, links, options, candidates=candidates, link_scores=link_scores)
