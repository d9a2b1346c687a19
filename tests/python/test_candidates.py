"""Target spans."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import candidates as reference
from strategies import WORDS, Sentence, many, sentences
from xner.errors import DataError, Error
from xner.projection.candidates import aligned, aligned_ends, ngram


@many(2)
@given(
    tokens=st.lists(st.sampled_from(WORDS), max_size=12),
    min_words=st.integers(1, 4),
    max_words=st.none() | st.integers(1, 12),
    stop_words=st.lists(st.sampled_from(WORDS), max_size=3),
)
def test_ngram(tokens: list[str], min_words: int, max_words: int | None, stop_words: list[str]) -> None:
    expected = reference.ngram(tokens, min_words=min_words, max_words=max_words, stop_words=stop_words)
    assert ngram(tokens, min_words=min_words, max_words=max_words, stop_words=stop_words) == expected


@many(2)
@given(
    sentence=sentences(),
    min_words=st.integers(1, 3),
    longer=st.none() | st.integers(0, 8),
    stop_words=st.lists(st.sampled_from(WORDS), max_size=2),
)
def test_spans_of_entities(sentence: Sentence, min_words: int, longer: int | None, stop_words: list[str]) -> None:
    max_words = None if longer is None else min_words + longer
    limits: Any = {"min_words": min_words, "max_words": max_words, "stop_words": stop_words}
    spans = reference.ngram(sentence.tokens, **limits)
    for of_entities, expected in ((aligned, reference.aligned), (aligned_ends, reference.aligned_ends)):
        found = of_entities(sentence.tokens, sentence.entities, sentence.links, **limits)
        assert found == [expected(spans, (start, end), sentence.links) for start, end, _ in sentence.entities]


def test_order_is_by_start_then_end() -> None:
    assert ngram(["a", "b", "!", "c"]) == [(0, 1), (0, 2), (1, 2), (3, 4)]


def test_no_words_no_spans() -> None:
    assert ngram([]) == []
    assert ngram(["!", "?"]) == []
    assert ngram(["a"], min_words=2) == []
    assert ngram(["a", "b"], min_words=2, max_words=1) == []


def test_stop_words_are_whole_words() -> None:
    assert ngram(["!!", "¡", ""], max_words=1, stop_words=["!", "é"]) == [(0, 1), (1, 2), (2, 3)]


def test_the_empty_word_can_be_a_stop_word() -> None:
    assert ngram(["", "a"], stop_words=[""]) == [(1, 2)]


def test_any_iterable_of_stop_words() -> None:
    assert ngram(("a", "b"), stop_words={"b"}) == [(0, 1)]  # type: ignore[arg-type]  # a set works too


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target_tokens": "abc"}, "tokens='abc': expected a sequence of words, not one string"),
        ({"target_tokens": ["a", 1]}, "column 'tokens', value 1: word 1 is not a string"),
        ({"target_tokens": ["\ud800"]}, "column 'tokens', value '\\ud800': word 0 is not valid Unicode text"),
        ({"stop_words": "!?"}, "stop_words='!?': expected a sequence of words, not one string"),
        ({"min_words": 0}, "min_words=0: expected a whole number from 1 to 2147483647"),
        ({"max_words": 1.5}, "max_words=1.5: expected a whole number from 0 to 2147483647"),
    ],
)
def test_bad_input(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(Error) as error:
        ngram(**{"target_tokens": ["a"], **arguments})
    assert str(error.value) == message


@pytest.mark.parametrize("of_entities", [aligned, aligned_ends])
def test_bad_input_for_entities(of_entities: Any) -> None:
    with pytest.raises(DataError, match="the target sentence has 1 word"):
        of_entities(["a"], [(0, 1, "X")], [(0, 1)])
    with pytest.raises(Error, match=r"stop_words='!\?': expected a sequence of words"):
        of_entities(["a"], [(0, 1, "X")], [], stop_words="!?")
    with pytest.raises(Error, match="max_words=1: expected a whole number from min_words=2 on"):
        of_entities(["a"], [(0, 1, "X")], [], min_words=2, max_words=1)
