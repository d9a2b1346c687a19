"""Markers: put in, taken out, and found again after what translation does to them."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xner import Error
from xner.text.normalization import normalize
from xner.translation.markers import PROBLEMS, STYLES, assign, find_problem, mark, unmark

WORDS = ["Ann", "Lee", "saw", "Cape", "Town", "."]


@pytest.mark.parametrize(
    ("entities", "brackets", "tags"),
    [
        ([], "Ann Lee saw Cape Town .", "Ann Lee saw Cape Town ."),
        (
            [(0, 2), (3, 5)],
            "[ Ann Lee ] saw [ Cape Town ] .",
            "<a> Ann Lee </a> saw <b> Cape Town </b> .",
        ),
        (
            [(3, 5), (4, 5)],
            "Ann Lee saw [ Cape [ Town ] ] .",
            "Ann Lee saw <a> Cape <b> Town </b> </a> .",
        ),
        (
            [(0, 1), (1, 2)],
            "[ Ann ] [ Lee ] saw Cape Town .",
            "<a> Ann </a> <b> Lee </b> saw Cape Town .",
        ),
        (
            [(0, 1), (0, 1)],
            "[ [ Ann ] ] Lee saw Cape Town .",
            "<a> <b> Ann </b> </a> Lee saw Cape Town .",
        ),
        (
            [(0, 1), (0, 3)],
            "[ [ Ann ] Lee saw ] Cape Town .",
            "<b> <a> Ann </a> Lee saw </b> Cape Town .",
        ),
    ],
)
def test_mark(entities: list[tuple[int, int]], brackets: str, tags: str) -> None:
    assert mark(WORDS, entities) == brackets
    assert mark(WORDS, entities, "tags") == tags


@pytest.mark.parametrize(
    ("words", "entities", "style", "problem"),
    [
        (["a", "[1]"], [(0, 1)], "brackets", "markers_in_text"),
        (["a", "[1]"], [(0, 1)], "tags", None),
        (["a", "<b>"], [(0, 1)], "tags", "markers_in_text"),
        (["a", "b", "c"], [(0, 2), (1, 3)], "brackets", "crossing_entities"),
        (["a"], [(0, 1)] * 27, "tags", "too_many_entities"),
        (["a"], [(0, 1)] * 27, "brackets", None),
    ],
)
def test_what_cannot_be_marked(words: list[str], entities: Any, style: Any, problem: str | None) -> None:
    assert find_problem(words, entities, style) == problem
    if problem is not None:
        with pytest.raises(Error, match=PROBLEMS[problem]):
            mark(words, entities, style)


def test_entities_outside_the_sentence() -> None:
    with pytest.raises(Error, match=r"entity \[1, 3\) is no span of a sentence of 2 words"):
        mark(["a", "b"], [(1, 3)])


@pytest.mark.parametrize(
    ("text", "clean", "spans"),
    [
        ("[Angela Merkel] besuchte [Kapstadt].", "Angela Merkel besuchte Kapstadt.", ["Angela Merkel", "Kapstadt"]),
        ("[ Angela Merkel ] besuchte [ Kapstadt ].", "Angela Merkel besuchte Kapstadt.", ["Angela Merkel", "Kapstadt"]),
        ("[ Angela ], die in [ Kapstadt ] war", "Angela, die in Kapstadt war", ["Angela", "Kapstadt"]),
        ("in[ Kapstadt ]war", "in Kapstadt war", ["Kapstadt"]),
        ("在[ 北京 ]，", "在北京，", ["北京"]),
        ("【北京】［上海］", "北京上海", ["北京", "上海"]),
        ("([Kapstadt])", "(Kapstadt)", ["Kapstadt"]),
        ("[Kap [stadt]] x", "Kap stadt x", ["Kap stadt", "stadt"]),
        ("[a] [b]", "a b", ["a", "b"]),
        ("  [ a ]\n[ b ]  ", "a b", ["a", "b"]),
    ],
)
def test_unmark(text: str, clean: str, spans: list[str]) -> None:
    found = unmark(text, len(spans))
    assert found.text == clean
    assert [clean[span.start : span.end] for span in found.spans] == spans
    assert found.problem is None


def test_tags_have_names() -> None:
    found = unmark("In < b >Kapstadt</ B > war <a>Angela</a>.", 2, "tags")
    assert found.text == "In Kapstadt war Angela."
    assert [(found.text[span.start : span.end], span.entity) for span in found.spans] == [
        ("Kapstadt", 1),
        ("Angela", 0),
    ]
    assert found.problem is None


@pytest.mark.parametrize(
    ("text", "entities", "style", "problem"),
    [
        ("[a b", 1, "brackets", "unbalanced"),
        ("a] b", 1, "brackets", "unbalanced"),
        ("[a] b]", 1, "brackets", "unbalanced"),
        ("[ ] b", 1, "brackets", "empty_span"),
        ("a b", 1, "brackets", "missing"),
        ("[a] [b]", 1, "brackets", "surplus"),
        ("<a>x</b>", 1, "tags", "unbalanced"),
        ("<a>x</a> <a>y</a>", 2, "tags", "repeated"),
        ("<c>x</c>", 1, "tags", "surplus"),
        ("<a>x</a>", 2, "tags", "missing"),
    ],
)
def test_broken_markers(text: str, entities: int, style: Any, problem: str) -> None:
    found = unmark(text, entities, style)
    assert found.problem == problem
    assert problem in PROBLEMS
    assert not any(c in found.text for c in "[]<>"), "the text is clean all the same"


@st.composite
def nested(draw: st.DrawFn) -> tuple[list[str], list[tuple[int, int]]]:
    words = draw(st.lists(st.sampled_from(["ab", "ọ̀", "東", "7", "x.", ","]), min_size=1, max_size=8))
    pairs = st.tuples(st.integers(0, len(words) - 1), st.integers(1, len(words))).filter(lambda pair: pair[0] < pair[1])
    entities: list[tuple[int, int]] = []
    for pair in draw(st.lists(pairs, max_size=6)):
        if not any(a[0] < b[0] < a[1] < b[1] for a in [*entities, pair] for b in [*entities, pair]):
            entities.append(pair)
    return words, entities


@given(nested(), st.sampled_from([*STYLES]), st.booleans())
def test_what_is_marked_is_found(marked: tuple[list[str], list[tuple[int, int]]], style: Any, tight: bool) -> None:
    words, entities = marked
    text = mark(words, entities, style)
    if tight:  # as many write brackets: without blanks inside
        text = (
            text.replace("[ ", "[").replace(" ]", "]").replace("> ", ">").replace(" <", "<")
            if style == "brackets"
            else text
        )
    found = unmark(text, len(entities), style)
    assert found.problem is None
    assert found.text == " ".join(words)
    ends = list(itertools.accumulate((len(word) + 1 for word in words), initial=0))
    expected = [(ends[start], ends[end] - 1) for start, end in entities]
    assert sorted((span.start, span.end) for span in found.spans) == sorted(expected)
    if style == "tags":
        assert {span.entity: (span.start, span.end) for span in found.spans} == dict(enumerate(expected))


def similarity(words: list[str], others: list[str]) -> float:
    first, second = ("".join(map(normalize, side)) for side in (words, others))
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        corner, row[0] = row[0], i
        for j, other in enumerate(second, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (letter != other))
    return 1 - row[-1] / max(len(first), len(second))


texts = st.lists(st.text("abC", min_size=1, max_size=4), min_size=1, max_size=2)


@given(st.lists(texts, max_size=4), st.lists(texts, max_size=4), st.sampled_from([0.0, 0.5, 0.75]))
def test_the_assignment_is_the_best(found: list[list[str]], expected: list[list[str]], threshold: float) -> None:
    chosen = assign(found, expected, threshold=threshold)
    taken = [entity for entity in chosen if entity is not None]
    assert len(set(taken)) == len(taken)

    def worth(entities: Any) -> float:
        values = [similarity(found[i], expected[j]) for i, j in enumerate(entities) if j is not None]
        return sum(value for value in values if value > threshold + 1e-9)

    for i, j in enumerate(chosen):
        if j is not None:
            assert similarity(found[i], expected[j]) > threshold - 1e-6
    choices = [None] * len(found) + list(range(len(expected)))
    best = max(worth(choice) for choice in itertools.permutations(choices, len(found)))
    assert worth(chosen) == pytest.approx(best, abs=1e-5)


def test_no_entity_is_lost_to_the_span_looked_at_last() -> None:
    """The second span is nearer to the second entity, which the first span alone would take."""
    found = [["Merkel"], ["Angela", "Merkel"]]
    assert assign(found, [["Angela", "Merkels"], ["Merkels"]]) == [1, 0]
    assert assign(found, [["Paris"], ["Merkel"]]) == [1, None]
    assert assign([], [["x"]]) == []
    assert assign([["x"]], []) == [None]
    with pytest.raises(Error, match=r"threshold=1: expected a number from 0 to below 1"):
        assign(found, found, threshold=1)
