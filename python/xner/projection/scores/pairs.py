"""Scores of all pairs of a source entity and a candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import xner._core as _core
from xner.projection._sentence_pair import sentence_pair

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from xner._support.records import EntitiesLike, LinksLike, ScoredSpansLike, SpansLike
    from xner.projection.options import ProjectionOptions

__all__ = ["ScoredPair", "score_pairs"]


class ScoredPair(NamedTuple):
    """A source entity (index), a target span (half-open word indices) and their score."""

    entity: int
    start: int
    end: int
    score: float


def score_pairs(
    target_tokens: Sequence[str],
    source_entities: EntitiesLike,
    links: LinksLike,
    options: ProjectionOptions,
    *,
    candidates: SpansLike = (),
    link_scores: Iterable[float] | None = None,
    source_length: int | None = None,
    source_tokens: Sequence[str] | None = None,
    ner_probabilities: npt.ArrayLike | None = None,
    hints: ScoredSpansLike = (),
    nmt_scores: ScoredSpansLike = (),
) -> list[ScoredPair]:
    """What `xner.project` chooses from: all pairs with a positive score.

    Args:
        target_tokens: as for `xner.project`, as are all others.
        source_entities: likewise.
        links: likewise.
        options: what is scored, and over which candidates.
        candidates: spans, for `options.candidates="given"`.
        link_scores: likewise.
        source_length: likewise.
        source_tokens: likewise.
        ner_probabilities: likewise.
        hints: likewise.
        nmt_scores: likewise.

    Returns:
        The pairs entity by entity, in the candidates' order. Spans that only hints know are in their place among
        ordered candidates, and behind given ones.

    Raises:
        DataError: malformed spans, links or scores.
        Error: something that the score needs is missing.
    """
    sentence = sentence_pair(
        target_tokens,
        source_entities,
        links,
        options,
        candidates=candidates,
        link_scores=link_scores,
        source_length=source_length,
        source_tokens=source_tokens,
        ner_probabilities=ner_probabilities,
        hints=hints,
        nmt_scores=nmt_scores,
    )
    return [ScoredPair(*pair) for pair in _core.score_pairs(sentence, options.to_core())]
