"""Options and other arguments: what is said of those that cannot be used."""

from __future__ import annotations

from typing import Any

import pytest

from xner._support.arguments import choose, did_you_mean, unknown_option
from xner.errors import Error

MATCHERS = {"exact": 1, "greedy": 2, "ortools": 3}


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("Exact", "; did you mean 'exact'?"),
        ("gredy", "; did you mean 'greedy'?"),
        ("or-tools", "; did you mean 'ortools'?"),
        ("tools", "; did you mean 'ortools'?"),
        ("hungarian", ""),
        ("t", ""),
        ("", ""),
        (3, ""),
        (["exact"], ""),
    ],
)
def test_a_name_that_is_none_of_a_few(value: Any, hint: str) -> None:
    with pytest.raises(Error) as error:
        choose("matcher", value, MATCHERS)
    assert str(error.value) == f"matcher={value!r}: expected one of 'exact', 'greedy', 'ortools'{hint}"


def test_of_several_near_names_two_are_named() -> None:
    assert did_you_mean("min_word", ["min_words", "max_words", "n"]) == "; did you mean 'min_words' or 'max_words'?"


def test_a_keyword_that_is_no_option() -> None:
    assert str(unknown_option("machter", ["matcher", "n"])) == "unknown option 'machter'; did you mean 'matcher'?"
    assert str(unknown_option("solver", ["matcher", "n"])) == "unknown option 'solver': expected one of 'matcher', 'n'"
