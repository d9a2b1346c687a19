"""Alignment scores."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import candidates, scores
from strategies import Sentence, many, sentences
from xner.errors import Error
from xner.projection.scores import ScoredPair, alignment

Count = Literal["links", "words", "weighted"]


@many(5)
@given(sentence=sentences(), count=st.sampled_from(["links", "words", "weighted"]))
def test_scores_are_the_reference(sentence: Sentence, count: Count) -> None:
    spans = candidates.ngram(sentence.tokens, stop_words=())
    entities = [(start, end) for start, end, _ in sentence.entities]
    expected = scores.alignment(entities, spans, sentence.links, count=count, link_scores=sentence.scores)
    found = alignment(
        sentence.tokens,
        sentence.entities,
        sentence.links,
        candidates=spans,
        count=count,
        link_scores=sentence.scores,
    )
    assert [pair[:3] for pair in found] == [pair[:3] for pair in expected]
    assert [pair.score for pair in found] == pytest.approx([pair[3] for pair in expected])
    if count == "words":
        assert all(pair.score <= 1 for pair in found)


def test_long_entities_count_every_word_once() -> None:
    """An entity of more words than a machine word has bits, every word linked with every word."""
    words = 200
    links = [(source, target) for source in range(words) for target in range(words)]
    entity = [(0, words, "X")]
    tokens = ["w"] * words
    assert alignment(tokens, entity, links, candidates=[(0, words)], count="words") == [(0, 0, words, 1.0)]
    assert alignment(tokens, entity, links, candidates=[(0, words)]) == [(0, 0, words, 200.0)]
    assert alignment(tokens, entity, links[:70], candidates=[(0, 1)], count="words") == [(0, 0, 1, 2 / (words + 1))]


def test_score_may_exceed_one() -> None:
    links = [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert alignment(["a", "b"], [(0, 2, "X")], links, candidates=[(0, 2)]) == [ScoredPair(0, 0, 2, 2.0)]


def test_repeated_links_count_once_with_their_best_score() -> None:
    links = [(0, 0), (0, 0), (0, 0)]
    assert alignment(["a"], [(0, 1, "X")], links, candidates=[(0, 1)])[0].score == 1
    found = alignment(["a"], [(0, 1, "X")], links, candidates=[(0, 1)], count="weighted", link_scores=[0.25, 0.75, 0.5])
    assert found[0].score == 0.75


def test_links_outside_entities_do_not_count() -> None:
    found = alignment(["a", "b"], [(1, 2, "X")], [(0, 0), (2, 1), (1, 1)], candidates=[(0, 1), (0, 2)])
    assert found == [(0, 0, 2, 2 / 3)]


def test_candidates_may_overlap_and_repeat() -> None:
    found = alignment(["a", "b"], [(0, 1, "X")], [(0, 0)], candidates=[(0, 2), (0, 1), (0, 1)])
    assert found == [(0, 0, 2, 2 / 3), (0, 0, 1, 1.0), (0, 0, 1, 1.0)]


def test_no_links_no_pairs() -> None:
    assert alignment(["a"], [(0, 1, "X")], [], candidates=[(0, 1)], count="weighted") == []
    assert alignment([], [(0, 1, "X")], [], candidates=[]) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"source_entities": [(5, 2, "X")]},
            "column 'source_entities', value [5, 2): an entity's start is at least 0 and below its end",
        ),
        (
            {"source_entities": [(0, 1, "")]},
            "column 'source_entities', value [0, 1): the entity has no label",
        ),
        ({"links": [(0, 2)]}, "column 'links', value 0-2: the target sentence has 2 words"),
        ({"links": [(0, -1)]}, "column 'links', value 0--1: word indices start at 0"),
        (
            {"candidates": [(0, 3)]},
            ("column 'candidates', value [0, 3): a candidate is a non-empty span; the target sentence has 2 words"),
        ),
        (
            {"candidates": [(-1, 1)]},
            ("column 'candidates', value [-1, 1): a candidate is a non-empty span; the target sentence has 2 words"),
        ),
        ({"candidates": [(0,)]}, "column 'candidates', value (0,): expected a pair of whole numbers"),
        ({"count": "weighted"}, "count='weighted' needs link_scores"),
        (
            {"count": "weighted", "link_scores": [float("nan")]},
            "column 'links', value 0-0: the link's score is nan; weighted scores take finite scores above 0",
        ),
        ({"count": "half"}, "count='half': expected one of 'links', 'words', 'weighted'"),
    ],
)
def test_bad_input(arguments: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {
        "target_tokens": ["a", "b"],
        "source_entities": [(0, 1, "X")],
        "links": [(0, 0)],
        "candidates": [(0, 1)],
    }
    with pytest.raises(Error) as error:
        alignment(**{**good, **arguments})
    assert str(error.value) == message
