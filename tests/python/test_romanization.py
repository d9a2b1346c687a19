"""Words in Latin letters."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xner.alignment import Aligner
from xner.text import romanize


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("москва", "moskva"),
        ("Щука", "Shchuka"),
        ("київ", "kiyiv"),  # as if it were Russian: the language is not known
        ("αθηνα", "athina"),
        ("ソニー", "soni"),
        ("とうきょう", "toukiyou"),
        ("서울", "seoul"),
        ("दिल्ली", "dilli"),
        ("नमक", "namak"),
        ("አዲስ", "adise"),
        ("القاهرة", "alqahra"),
        ("ירושלים", "yrvshlym"),
        ("თბილისი", "tbilisi"),
        ("երեւան", "erewan"),
        # Not of these scripts, or Latin already
        ("straße", "straße"),
        ("Łódź", "Łódź"),
        ("北京", "北京"),
        ("ไทย", "ไทย"),
        ("2024", "2024"),
        ("ー", "ー"),
        ("", ""),
        # Several scripts; letters without a sound
        ("Tシャツ", "Tsiyatu"),
        ("ьъ", "ьъ"),
    ],
)
def test_words(word: str, expected: str) -> None:
    assert romanize(word) == expected


@given(st.text(max_size=12))
def test_any_text(text: str) -> None:
    found = romanize(text)
    assert bool(found) == bool(text)
    assert not text.isascii() or found == text


def test_names_find_each_other_across_scripts() -> None:
    """Without anything to learn from, spelling alone tells which names belong together."""
    source = [["yesterday", "maria", "met", "putin", "in", "london"]]
    target = [["лондон", "путин", "мария", "вчера"]]

    def links(**options: Any) -> set[tuple[int, int]]:
        found = Aligner.fit([], [], **options).align(source, target)
        return {(link["source"], link["target"]) for link in found[0].as_py()}

    names = {(1, 2), (3, 1), (5, 0)}
    assert names <= links()
    assert not names & links(romanize=False)
