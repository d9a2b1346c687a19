"""Target spans."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import candidates as reference
from strategies import WORDS, many
from xner.errors import Error
from xner.projection.candidates import ngram


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
