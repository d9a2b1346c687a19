"""Weighted sums of scores in plain Python, over whatever spans are candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference import character_score, ner_score, scores

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from strategies import Evidence, Sentence

__all__ = ["pairs"]

Span = tuple[int, int]


def score(sentence: Sentence, evidence: Evidence, entity: int, span: Span, weights: Mapping[str, float]) -> float:
    """The sum for one pair."""
    start, end, label = sentence.entities[entity]
    total = weights.get("align", 0) * scores.score((start, end), span, sentence.links)
    tags, probabilities = evidence.tagged.labels, evidence.tagged.probabilities
    if f"B-{label}" in tags:
        total += weights.get("ner", 0) * ner_score.score(probabilities, tags, span, label)
    total += weights.get("ner_spans", 0) * ner_score.span_score(probabilities, tags, span)
    total += weights.get("characters", 0) * character_score.score(
        evidence.source_tokens, sentence.tokens, (start, end), span
    )
    for name, given in (("hints", evidence.hints), ("nmt", evidence.nmt_scores)):
        weight = weights.get(name, 1 if name == "hints" else 0)
        total += weight * sum(value for *where, value in given if where == [entity, *span])
    return total


def pairs(
    sentence: Sentence,
    evidence: Evidence,
    candidates: Sequence[Iterable[Span]],
    weights: Mapping[str, float],
    *,
    by_span: bool,
) -> list[tuple[int, int, int, float]]:
    """All pairs with a positive score, for the candidates of each entity; spans that only hints know come to them.

    They are in their place where candidates are ordered `by_span`, else behind.
    """
    result = []
    for entity, own in enumerate(candidates):
        spans = list(own)
        hinted = {
            (start, end)
            for name, given in (("hints", evidence.hints), ("nmt", evidence.nmt_scores))
            if weights.get(name, 1 if name == "hints" else 0)
            for index, start, end, _ in given
            if index == entity
        }
        spans += sorted(hinted - set(spans))
        if by_span:
            spans.sort()
        scored = [(entity, *span, score(sentence, evidence, entity, span, weights)) for span in spans]
        result += [pair for pair in scored if pair[3] > 1e-12]
    return result
