"""Projection of character spans: what counts as a word, offsets, links of all kinds, and what is said of the rest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xner
from io_strategies import ODD
from xner.errors import DataError, Error, OptionError
from xner.projection.spans import ProjectedSpan, SpanProjection, UnprojectedSpan
from xner.text import by_blanks

SOURCE = "Angela Merkel visited Madrid."
TARGET = "Madrid hat Angela Merkel besucht."
SPANS = [(0, 13, "PER"), (22, 28, "LOC")]

TEXTS = st.text(st.sampled_from("ab \n東.\u0e01\u0e34" + ODD), max_size=14)


def texts(found: SpanProjection) -> list[tuple[str, str, int]]:
    return [(span.text, span.label, span.source) for span in found.spans]


def test_one_pair() -> None:
    found = xner.project_spans(SOURCE, TARGET, SPANS)
    assert texts(found) == [("Madrid", "LOC", 1), ("Angela Merkel", "PER", 0)]
    assert [(span.start, span.end, span.snapped) for span in found.spans] == [(0, 6, False), (11, 24, False)]
    assert found.unprojected == ()
    assert {(found.source_words[s].text, found.target_words[t].text) for s, t, _ in found.links} >= {
        ("Angela", "Angela"),
        ("Madrid", "Madrid"),
    }


def test_many_pairs() -> None:
    found = xner.project_spans([SOURCE, "Oslo", ""], [TARGET, "Oslo", "a"], [SPANS, [(0, 4, "LOC")], None])
    assert [texts(one) for one in found] == [
        [("Madrid", "LOC", 1), ("Angela Merkel", "PER", 0)],
        [("Oslo", "LOC", 0)],
        [],
    ]
    assert xner.project_spans([], [], []) == []
    columns: Any = (
        pa.array(["Oslo", "a"]),
        np.array(["Oslo", "b"]),
        pa.array([[{"start": 0, "end": 4, "label": "LOC"}], None]),
    )
    assert [texts(one) for one in xner.project_spans(*columns)] == [[("Oslo", "LOC", 0)], []]


def test_the_words_are_those_of_a_projection_of_words() -> None:
    """The same links, entities and options give the same scores and margins."""
    links = [(0, 2), (1, 3), (2, 1), (2, 4), (3, 0), (4, 5)]
    options: Any = {"matcher": "greedy", "candidates": "ngram", "max_words": 3}
    found = xner.project_spans(SOURCE, TARGET, SPANS, links=links, **options)
    source, target = (["Angela", "Merkel", "visited", "Madrid", "."], [*TARGET.removesuffix(".").split(), "."])
    wanted = xner.project(target, [(0, 2, "PER"), (3, 4, "LOC")], links, source_tokens=source, **options)
    assert sorted((one.source, one.label, one.score, one.margin) for one in found.spans) == sorted(
        (one.source, one.label, one.score, one.margin) for one in wanted.entities
    )


@pytest.mark.parametrize(
    ("span", "projected", "snapped"),
    [((0, 5), "Merkel", False), ((1, 3), "Merkel", True), ((0, 6), "Merkel", True), ((4, 7), "Merkel Berlin", True)],
)
def test_spans_are_snapped_to_words(span: tuple[int, int], projected: str, snapped: bool) -> None:
    links = [(0, 0), (1, 1)]
    (found,) = xner.project_spans("Mεrkl Brlin", "Merkel Berlin", [(*span, "X")], links=links).spans
    assert (found.text, found.snapped) == (projected, snapped)


@pytest.mark.parametrize("kind", ["tuple", "list", "dict", "object", "spacy"])
def test_forms_of_spans(kind: str) -> None:
    forms: dict[str, Any] = {
        "tuple": (2, 5, "PER"),
        "list": [2, 5, "PER"],
        "dict": {"start": 2, "end": 5, "label": "PER", "score": 0.5},
        "object": SimpleNamespace(start=2, end=5, label="PER"),
        "spacy": SimpleNamespace(start=1, end=2, label=380, start_char=2, end_char=5, label_="PER"),
    }
    found = xner.project_spans("a Zoë", "😀 Zoë b", [forms[kind]], links=[(1, 1)])
    assert found.spans == (ProjectedSpan(2, 5, "PER", "Zoë", 1.0, 1.0, 0, False),)


def test_characters_beyond_the_basic_plane_and_combining_marks_are_characters() -> None:
    source, target = "𝔸 e\u0301t", "😀😀 e\u0301t\u0300, 𝔸"
    found = xner.project_spans(source, target, [(2, 5, "X"), (0, 1, "Y")], links=[(0, 4), (1, 2)])
    assert [(one.start, one.end, one.text) for one in found.spans] == [(3, 7, "e\u0301t\u0300"), (9, 10, "𝔸")]


def test_overlapping_spans_are_projected_apart() -> None:
    text = "University of New York"
    spans = [(14, 22, "LOC"), (0, 22, "ORG"), (18, 22, "X"), (0, 22, "GPE")]
    found = xner.project_spans(text, text, spans, links=[(word, word) for word in range(4)])
    assert [(one.start, one.end, one.label, one.source) for one in found.spans] == [
        (0, 22, "ORG", 1),
        (0, 22, "GPE", 3),
        (14, 22, "LOC", 0),
        (18, 22, "X", 2),
    ]


@pytest.mark.parametrize(
    ("target", "links", "reasons"),
    [
        ("x y z", [(0, 0)], {1: "no_links", 2: "no_words"}),
        ("x", [(0, 0), (1, 0)], {1: "no_match", 2: "no_words"}),
        (" ", [], {0: "empty_target", 1: "empty_target", 2: "no_words"}),
    ],
)
def test_reasons(target: str, links: list[tuple[int, int]], reasons: dict[int, str]) -> None:
    spans = [(0, 1, "A"), (2, 3, "B"), (1, 2, "C")]
    found = xner.project_spans("a b", target, spans, links=links)
    assert {one.source: one.reason for one in found.unprojected} == reasons
    assert all((one.start, one.end, one.label) == spans[one.source] for one in found.unprojected)


def test_what_the_options_do_not_allow_is_said() -> None:
    found = xner.project_spans("a", "b", [(0, 1, "A")], links=[(0, 0)], constraint="=", n=2)
    assert found.unprojected == (UnprojectedSpan(0, 1, "A", 0, "infeasible"),)


def test_links_of_characters() -> None:
    links = [(0, 11), (7, 18), (22, 0, 0.5), (23, 5, 0.5)]
    found = xner.project_spans(SOURCE, TARGET, SPANS, links=links, link_unit="characters")
    assert texts(found) == [("Madrid", "LOC", 1), ("Angela Merkel", "PER", 0)]
    assert found.links == ((0, 2, None), (1, 3, None), (3, 0, 0.5), (3, 0, 0.5))


def test_links_of_many_pairs_and_scores() -> None:
    links = [[{"source": 0, "target": 0, "score": 0.25}], None]
    options: Any = {"count": "weighted"}
    found = xner.project_spans(["a", "a"], ["b", "b"], [[(0, 1, "A")]] * 2, links=links, **options)
    assert texts(found[0]) == [("b", "A", 0)]
    assert [one.reason for one in found[1].unprojected] == ["no_links"]


def test_an_aligner_is_used_as_it_is() -> None:
    aligner = xner.Aligner.fit([["a"]] * 9 + [["b"]] * 9, [["c"]] * 9 + [["d"]] * 9)
    one = xner.project_spans("a b", "d c", [(0, 1, "X")], aligner=aligner)
    assert texts(one) == [("c", "X", 0)]
    many = xner.project_spans(["a b", "b"], ["d c", "c"], [[(0, 1, "X")], []], aligner=aligner)
    assert many[0] == one
    assert many[0].links == one.links


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("characters", ["don", "'", "t", "東", "京"]),
        ("blanks", ["don't", "東京"]),
        (by_blanks, ["don't", "東京"]),
        *(
            pytest.param(name, ["do", "n't", "東京"], marks=pytest.mark.needs("words"))
            for name in ("de", "German", "eng_Latn")
        ),
    ],
)
def test_languages(language: Any, words: list[str]) -> None:
    found = xner.project_spans("don't 東京", "x", [], source_language=language)
    assert [word.text for word in found.source_words] == words


@pytest.mark.needs("words")
def test_a_code_of_a_language_in_several_scripts() -> None:
    found = xner.project_spans(
        "Angela Merkel visited Madrid.", "默克尔访问了马德里。", [(0, 13, "PER")], target_language="zh"
    )
    assert [word.text for word in found.target_words] == ["默克尔", "访问", "了", "马德里", "。"]


@given(source=TEXTS, target=TEXTS, data=st.data())
def test_spans_are_whole_words_of_the_target_text(source: str, target: str, data: st.DataObject) -> None:
    places = st.tuples(st.integers(0, len(source)), st.integers(0, len(source))).filter(lambda pair: pair[0] < pair[1])
    spans = data.draw(st.lists(st.tuples(places, st.sampled_from("AB")), max_size=4)) if source else []
    given_ = [(start, end, label) for (start, end), label in spans]
    found = xner.project_spans(source, target, given_)
    starts, ends = {word.start for word in found.target_words}, {word.end for word in found.target_words}
    for one in found.spans:
        assert one.start in starts
        assert one.end in ends
        assert target[one.start : one.end] == one.text != ""
        assert one.label == given_[one.source][2]
    projected, missing = {one.source for one in found.spans}, {one.source for one in found.unprojected}
    assert sorted(projected | missing) == list(range(len(given_)))
    assert not projected & missing
    assert xner.project_spans([source], [target], [given_]) == [found]


WRONG: list[tuple[dict[str, Any], type[Error], str]] = [
    ({"spans": [(0, 9, "X")]}, DataError, r"^column 'spans', value \[0, 9\): .* which has 3 characters$"),
    ({"spans": [(1, 1, "X")]}, DataError, r"value \[1, 1\): expected a span of the source text"),
    (
        {"spans": [(2, 1, "X")]},
        DataError,
        r"value \[2, 1\): .*: its end is one past its last character",
    ),
    ({"source_text": None}, DataError, "^column 'source_text', value None: expected a text, or a sequence of texts"),
    ({"target_text": b"a b"}, DataError, "^column 'target_text', .* found bytes; `bytes.decode` makes it a text$"),
    ({"spans": [(0, 1, "")]}, DataError, r"value \[0, 1\): the span has no label"),
    ({"spans": [(0, 1)]}, DataError, r"value \(0, 1\): expected \(start, end, label\)"),
    ({"spans": "abc"}, DataError, "expected a sequence, found str"),
    ({"source_text": "😀 a", "spans": [(3, 4, "X")]}, DataError, "code points, these may be UTF-16 units$"),
    ({"source_text": "é a", "spans": [(3, 4, "X")]}, DataError, "code points, these may be bytes of UTF-8$"),
    ({"source_text": ["a b"]}, Error, "two texts, or two sequences of texts, found one of each"),
    ({"source_text": ["a b"], "target_text": []}, Error, "1 source texts but 0 target texts"),
    ({"source_text": ["a", 3], "target_text": ["a", "b"], "spans": []}, DataError, "row 1, .*'source_text', value 3"),
    ({"source_text": ["a"], "target_text": ["a"], "spans": []}, Error, "spans: expected those of 1 pairs .* of 0$"),
    ({"source_text": ["a"] * 2, "target_text": ["a"] * 2, "spans": [[], [(0, 2, "X")]]}, DataError, r"^row 1, .*spans"),
    ({"links": [(0, 2)]}, DataError, "^column 'links', value 2: the target text has 2 words"),
    ({"links": [(0,)]}, DataError, "^column 'links', .* expected a pair of whole numbers"),
    ({"links": [(1, 0)], "link_unit": "characters"}, DataError, "value 1: .* word of the source text; it is white"),
    ({"links": [(0, 3)], "link_unit": "characters"}, DataError, "value 3: .* target text; the text has 3 characters"),
    ({"links": [(-1, 0)], "link_unit": "characters"}, DataError, "value -1: .* source text; the text has 3"),
    ({"link_unit": "characters"}, OptionError, "link_unit='characters' says what links count, and there are none"),
    ({"link_unit": "bytes"}, Error, "link_unit='bytes'"),
    ({"links": [], "aligner": object()}, OptionError, "links beside an aligner"),
    ({"target_language": "Klingon"}, OptionError, "language 'Klingon' is unknown"),
    ({"matchr": "exact"}, OptionError, "unknown option 'matchr'; did you mean 'matcher'"),
    ({"score": "align_ner", "spans": [(0, 1, "X")]}, Error, "needs ner_probabilities"),
]


@pytest.mark.parametrize(("changes", "error", "message"), WRONG)
def test_wrong_arguments(changes: dict[str, Any], error: type[Error], message: str) -> None:
    arguments = {"source_text": "a b", "target_text": "c d", "spans": [(0, 1, "X")], **changes}
    with pytest.raises(error, match=message):
        xner.project_spans(**arguments)


def test_how_it_shows_itself() -> None:
    found = xner.project_spans("a <b> c", "A <B>", [(0, 1, "X"), (3, 4, "<Y>"), (5, 7, "Z")], links=[(0, 0), (2, 2)])
    assert repr(found) == "SpanProjection(X 'A' [0, 1); <Y> 'B' [3, 4); Z ' c': no_links)"
    page = found._repr_html_()
    assert '&lt;<mark>B<small dir="ltr">&lt;Y&gt;</small></mark>&gt;' in page
    assert "2 spans projected, 1 not" in page
    assert repr(xner.project_spans("", "", [])) == "SpanProjection(no spans)"
