"""The characters' score: against the reference, and on bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reference import character_score as reference
from strategies import many
from xner.errors import Error
from xner.projection.scores import characters

WORDS = st.lists(st.text("abABäÄé-漢ﬁ́", min_size=1, max_size=6), min_size=1, max_size=6)


def all_spans(words: int) -> list[tuple[int, int]]:
    return [(start, end) for start in range(words) for end in range(start + 1, words + 1)]


@many(3)
@given(source=WORDS, target=WORDS, threshold=st.sampled_from([0.0, 0.25, 0.5, 0.875]), order=st.randoms())
@example(source=["ab" * 40, "ba" * 9], target=["ab" * 35, "aab" * 20], threshold=0.0, order=None)
@example(source=["a" * 64], target=["a" * 63, "ba"], threshold=0.0, order=None)
def test_scores_are_the_reference(source: list[str], target: list[str], threshold: float, order: Any) -> None:
    entities, spans = all_spans(len(source)), all_spans(len(target))
    if order is not None:
        order.shuffle(spans)
    found = characters(source, target, entities, spans, threshold=threshold)
    expected = [
        [reference.score(source, target, entity, span, threshold=threshold) for span in spans] for entity in entities
    ]
    assert found == pytest.approx(np.array(expected).reshape(len(entities), len(spans)))


def test_names_that_stay_themselves() -> None:
    source = ["Angela", "Merkel", "met", "Orbán"]
    target = ["Orban", "traf", "Angela", "Merkels"]
    found = characters(source, target, [(0, 2), (3, 4)], [(0, 1), (2, 3), (2, 4)])
    assert found == pytest.approx(np.array([[0, 0, 1 - 1 / 13], [1, 0, 0]]))


def test_tokenisation_does_not_matter() -> None:
    assert characters(["U.S."], ["U", ".", "S", "."], [(0, 1)], [(0, 4)]).tolist() == [[1]]


def test_nothing_to_score() -> None:
    assert characters([], [], [], []).shape == (0, 0)
    assert characters(["a"], ["b"], [(0, 1)], []).shape == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source_tokens": "ab"}, "source_tokens='ab': expected a sequence of words, not one string"),
        (
            {"source_entities": [(0, 2)]},
            "column 'source_entities', value [0, 2): expected a non-empty span of a sentence of 1 words",
        ),
        (
            {"candidates": [(1, 0)]},
            "column 'candidates', value [1, 0): expected a non-empty span of a sentence of 1 words",
        ),
        ({"threshold": -0.1}, "threshold=-0.1: expected a number from 0 on"),
    ],
)
def test_bad_input(arguments: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {
        "source_tokens": ["a"],
        "target_tokens": ["b"],
        "source_entities": [(0, 1)],
        "candidates": [(0, 1)],
    }
    with pytest.raises(Error) as error:
        characters(**{**good, **arguments})
    assert str(error.value) == message
