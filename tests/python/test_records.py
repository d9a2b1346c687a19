"""Links, spans and entities of a sentence in every form, and what is said of those that are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms import entity_forms, link_columns, link_forms, scored_forms, scored_link_forms, spans_forms
from strategies import LABELS, Sentence, sentences, spans
from xner import labels
from xner._support.arrow import pylist
from xner._support.records import (
    entity_tuples,
    link_tuples,
    scored_links,
    scored_spans,
    span_array,
    span_tuples,
)
from xner.alignment import links
from xner.errors import DataError, Error
from xner.evaluation import links as link_scores
from xner.evaluation import pair_entities
from xner.projection import candidates
from xner.projection.scores import alignment, characters, fuse, ner, word_probabilities
from xner.projection.sentence import ProjectedEntity

WORD = st.integers(0, 9)
SCORE = st.sampled_from([0.25, 0.5, 1.0])
LINKS = st.lists(st.tuples(WORD, WORD), max_size=5, unique=True)
SCORED_LINKS = st.lists(st.tuples(WORD, WORD, SCORE), max_size=5, unique_by=lambda link: link[:2])


@given(LINKS)
def test_links_without_scores(pairs: list[tuple[int, int]]) -> None:
    for form in link_forms(pairs):
        assert link_tuples("links", form) == [(*pair, None) for pair in pairs]
    for form in link_forms(pairs):
        assert scored_links("links", form) == (pairs, None)
    for form in link_forms(pairs):
        scores = np.full(len(pairs), 0.5, np.float32)
        assert scored_links("links", form, scores) == (pairs, scores.tolist())
    for form in link_forms(pairs):
        assert links.symmetrize(form, [], "union") == sorted(pairs)


@given(SCORED_LINKS)
def test_links_with_scores(given_links: list[tuple[int, int, float]]) -> None:
    pairs = [link[:2] for link in given_links]
    for form in scored_link_forms(given_links):
        assert link_tuples("links", form) == given_links
    for form in scored_link_forms(given_links):
        assert scored_links("links", form) == (pairs, [link[2] for link in given_links] or None)
    for form in scored_link_forms(given_links):
        assert links.symmetrize([], form, "union") == sorted(pairs)


@given(st.lists(st.tuples(spans(9), st.sampled_from(LABELS)).map(lambda pair: (*pair[0], pair[1])), max_size=4))
def test_entities_and_spans(entities: list[tuple[int, int, str]]) -> None:
    words = [entity[:2] for entity in entities]
    objects = [ProjectedEntity(*entity, score=1.0, margin=0.5, source=0) for entity in entities]
    for form in [*entity_forms(entities), objects]:
        assert entity_tuples("entities", form) == entities
    for form in [*spans_forms(words), objects]:
        assert span_tuples("spans", form) == words
    for form in [*spans_forms(words), objects]:
        assert span_array("spans", form, 9).tolist() == list(map(list, words))
    assert pair_entities(objects, objects) == pair_entities(entities, entities)


@given(st.lists(st.tuples(st.integers(0, 3), spans(9), SCORE).map(lambda one: (one[0], *one[1], one[2])), max_size=4))
def test_scored_spans(pairs: list[tuple[int, int, int, float]]) -> None:
    for form in scored_forms(pairs):
        assert scored_spans("hints", form, []) == pairs


@given(st.lists(SCORED_LINKS, min_size=1, max_size=3), st.data())
def test_columns_of_links(rows: list[list[tuple[int, int, float]]], data: st.DataObject) -> None:
    expected = links.combine([rows], "union")
    assert [[(one["source"], one["target"], one["score"]) for one in row] for row in pylist(expected)] == [
        sorted(row) for row in rows
    ]
    assert links.combine([data.draw(link_columns(rows)) for _ in range(2)], "intersect") == expected
    found = link_scores.score(data.draw(link_columns(rows)), data.draw(link_columns(rows)))
    assert found.sure_hits.tolist() == list(map(len, rows))


@given(st.lists(SCORED_LINKS, min_size=1, max_size=3))
def test_combined_links_without_scores_and_missing_rows(rows: list[list[tuple[int, int, float]]]) -> None:
    pairs = [[link[:2] for link in row] for row in rows]
    ones = links.combine([[[(*link, 1) for link in row] for row in pairs] + [[]]])
    for number in range(len(link_forms([]))):
        assert links.combine([[*(link_forms(row)[number] for row in pairs), None]]) == ones


def test_extracted_links_are_links() -> None:
    found = links.extract(np.eye(3, dtype=np.float32), "fwd")
    assert list(found) == [(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0)]
    assert repr(found) == "Links(3 links)"
    assert links.symmetrize(found, [], "union") == [(0, 0), (1, 1), (2, 2)]
    assert link_scores.score([found], [[(0, 0)]]).recall == pytest.approx(1 / 3)
    assert pylist(links.combine([[found]]))[0][2] == {"source": 2, "target": 2, "score": 1.0}


def test_word_maps_of_matrices() -> None:
    matrix = np.eye(3, dtype=np.float32)
    expected = links.extract_batch([matrix], "fwd", source_words=[np.array([0, 0, 1], np.int32)])
    for words in ([0, 0, 1], (0, 0, 1), np.array([0, 0, 1]), pa.array([0, 0, 1])):
        assert links.extract_batch([matrix], "fwd", source_words=[words]) == expected


@given(sentences(entities=3, words=6), st.data())
def test_alignment_scores(sentence: Sentence, data: st.DataObject) -> None:
    spans_ = candidates.ngram(sentence.tokens, stop_words=())
    given_links = [(*link, score) for link, score in zip(sentence.links, sentence.scores, strict=True)]
    expected = alignment(
        sentence.tokens,
        sentence.entities,
        sentence.links,
        candidates=spans_,
        count="weighted",
        link_scores=sentence.scores,
    )
    found = alignment(
        pa.array(sentence.tokens),  # type: ignore[arg-type]  # Arrow's strings will do
        data.draw(st.sampled_from(entity_forms(sentence.entities))),
        data.draw(st.sampled_from(scored_link_forms(given_links))),
        candidates=data.draw(st.sampled_from(spans_forms(spans_))),
        count="weighted",
    )
    assert found == expected


def test_candidates_of_an_entity() -> None:
    tokens, entities, links_ = ["a", "b", "c", "d"], [(0, 1, "X")], [(0, 1), (0, 3)]
    between, ends = [(1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)], [(1, 2), (1, 4), (3, 4)]
    for form in entity_forms(entities):
        assert candidates.aligned(tokens, form, links_) == [between]
    for form in link_forms(links_):
        assert candidates.aligned_ends(tokens, entities, form) == [ends]
    assert candidates.aligned(tokens, entities, []) == [[]]
    with pytest.raises(DataError, match="column 'links'"):
        candidates.aligned(tokens, entities, [(0, 0.5)])


def test_scores_of_spans() -> None:
    entities, spans_ = [(0, 1), (1, 2)], [(0, 1), (0, 2)]
    expected = characters(["a", "b"], ["a", "c"], entities, spans_)
    for one, other in zip(spans_forms(entities), spans_forms(spans_), strict=True):
        assert (characters(("a", "b"), np.array(["a", "c"]), one, other) == expected).all()  # type: ignore[arg-type]  # takes arrays too
    names = ["O", "B-X", "I-X"]
    probabilities = [[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]]
    ner_scores = ner(probabilities, names, spans_)["X"]
    for form in (
        np.array(probabilities, np.float16),
        tuple(map(tuple, probabilities)),
        pa.array(probabilities),
        pa.chunked_array([probabilities[:1], probabilities[1:]]),
    ):
        assert (ner(form, pa.array(names), spans_)["X"] == ner_scores).all()  # type: ignore[call-overload]  # Arrow's will do
    logits = word_probabilities([[1, 0], [0, 1], [3, 3]], [0, 1, None])
    for ids in (pa.array([0, 1, None]), np.array([0, 1, None]), (0, 1, None)):
        assert (word_probabilities(pa.array([[1, 0], [0, 1], [3, 3]]), ids) == logits).all()
    for array in ([[1, 2]], np.array([[1, 2]], np.uint8), pa.array([[1, 2]]), np.array([[1, 2]], np.float16)):
        assert fuse({"a": array, "b": [[0.5, 0]]}).tolist() == [[1.5, 2.0]]


@given(st.lists(st.lists(spans(6), max_size=1).map(lambda row: [(*span, "X") for span in row]), min_size=1, max_size=3))
def test_rows_of_entities(rows: list[list[tuple[int, int, str]]]) -> None:
    words = [["w"] * 6 for _ in rows]
    expected = labels.encode_batch([[*row] for row in rows], words)
    assert expected.to_pylist() == [labels.encode(row, 6) for row in rows]
    for number in range(len(entity_forms([]))):
        assert labels.encode_batch([entity_forms(row)[number] for row in rows], words) == expected
        assert [labels.encode(entity_forms(row)[number], 6) for row in rows] == expected.to_pylist()
    dicts = [[{"start": start, "end": end, "label": label} for start, end, label in row] for row in rows]
    kind = pa.struct([("start", pa.int64()), ("end", pa.uint8()), ("label", pa.large_string())])
    for lists in (pa.list_, pa.large_list, pa.list_view):
        column = pa.chunked_array([pa.array(dicts, lists(kind))])
        assert labels.encode_batch(column, pa.chunked_array([words])) == expected


@pytest.mark.parametrize(
    ("links_", "message"),
    [
        ([(0, 1.5)], "column 'links', value (0, 1.5): expected a pair of whole numbers"),
        ([(0, 1, "x")], "column 'links', value (0, 1, 'x'): expected a pair of whole numbers"),
        ([(0, 1, True)], "column 'links', value (0, 1, True): expected a pair of whole numbers"),
        ([(0, 1, 0.5, 3)], "column 'links', value (0, 1, 0.5, 3): expected a pair of whole numbers"),
        ([{"source": 1}], "column 'links', value {'source': 1}: expected a pair of whole numbers"),
        ([{0, 1}], "column 'links', value {0, 1}: expected a pair of whole numbers"),
        (["01"], "column 'links', value '01': expected a pair of whole numbers"),
        ([None], "column 'links', value None: expected a pair of whole numbers"),
        (np.ones((1, 2)), "column 'links', value array([1., 1.]): expected a pair of whole numbers"),
        ([(0, 2**31)], "column 'links', value (0, 2147483648): expected whole numbers of at most 31 bits"),
        ({(0, 1): 0.5}, "column 'links', value {(0, 1): 0.5}: expected a sequence, found dict"),
        ("0-0", "column 'links', value '0-0': expected a sequence, found str"),
        (5, "column 'links', value 5: expected a sequence, found int"),
    ],
)
def test_what_is_no_link(links_: Any, message: str) -> None:
    with pytest.raises(DataError) as error:
        link_tuples("links", links_)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("entities", "message"),
    [
        ([(0, 1)], "column 'entities', value (0, 1): expected (start, end, label)"),
        ([(0, 1, 2)], "column 'entities', value (0, 1, 2): expected (start, end, label)"),
        ([(0, 1.0, "X")], "column 'entities', value (0, 1.0, 'X'): expected a pair of whole numbers"),
        ([{"start": 0, "label": "X"}], "column 'entities', value {'start': 0, 'label': 'X'}: expected a pair of"),
        ([slice(0, 1)], "column 'entities', value slice(0, 1, None): expected (start, end, label)"),
    ],
)
def test_what_is_no_entity(entities: Any, message: str) -> None:
    with pytest.raises(DataError) as error:
        entity_tuples("entities", entities)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("span", [(0,), (0, 1, 2), (0, 1.0), "01", 5, {"start": 1}, {"start": 0, "end": None}])
def test_what_is_no_span(span: Any) -> None:
    with pytest.raises(DataError, match=r"expected a pair of whole numbers$"):
        span_array("spans", [span])


@pytest.mark.parametrize("pair", [(0, 1, 2), (0, 1, 2, "x"), (0.5, 1, 2, 1), {"start": 1, "end": 2, "score": 0.5}, 7])
def test_what_is_no_scored_span(pair: Any) -> None:
    with pytest.raises(DataError, match=r"expected \(source entity, start, end, score\)$"):
        scored_spans("hints", [pair], [])


def test_scores_of_links_that_do_not_go_with_them() -> None:
    with pytest.raises(Error, match="link_scores beside links that have scores of their own"):
        scored_links("links", [(0, 0, 0.5)], [0.5])
    with pytest.raises(Error, match="2 link scores for 1 links"):
        scored_links("links", [(0, 0)], [0.5, 1])
    with pytest.raises(Error, match=r"link_scores=\['a'\]: expected one number a link \('a' is not a number\)"):
        scored_links("links", [(0, 0)], ["a"])  # type: ignore[list-item]  # what is tested
    assert scored_links("links", [(0, 0, 0.5), (1, 1)]) == ([(0, 0), (1, 1)], None)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([1]), "row 0, column 'links', value 1: set 0: expected"),
        (pa.array([[{"source": 0.5, "target": 1}]]), "set 0: expected lists of structs with 'source' and 'target'"),
        (pa.array([[{"source": 0}]]), "set 0: expected lists of structs with 'source' and 'target'"),
        (pa.array([[{"source": 0, "target": 0, "score": "1"}]]), "value string: set 0: expected scores that are"),
        (pa.array([[{"source": 0, "target": 2**40}]]), "row 0, column 'links', value 1099511627776: set 0: word"),
        ("0-0", "value '0-0': set 0: expected links for each sentence pair"),
        (["0-0"], "row 0, column 'links', value '0-0': set 0: expected a sequence, found str"),
    ],
)
def test_what_is_no_column_of_links(column: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        links.combine([column])
