"""Source entities within others: chosen among, or each projected by itself."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import xner
from xner import Pipeline, Projector, io, schema
from xner._support.arrow import pylist
from xner._support.overlaps import overlapping_rows
from xner.cli.main import cli
from xner.errors import DataError, OptionError
from xner.filters.stage import Filters
from xner.projection.nested import choose_nested, layers_of, merged_status, project_layers

if TYPE_CHECKING:
    from pathlib import Path

SPANS = st.lists(st.tuples(st.integers(0, 7), st.integers(1, 4)).map(lambda one: (one[0], one[0] + one[1])), max_size=6)


def table_of(rows: list[list[tuple[int, int]]]) -> pa.Table:
    entities = [[{"start": start, "end": end, "label": f"C{end - start}"} for start, end in row] for row in rows]
    links = [{"source": word, "target": word, "score": None} for word in range(11)]
    return pa.table(
        {
            schema.ID: [f"s{number}" for number in range(len(rows))],
            schema.SOURCE_TOKENS: pa.array([["s"] * 11] * len(rows), schema.WORDS_TYPE),
            schema.TOKENS: pa.array([["t"] * 11] * len(rows), schema.WORDS_TYPE),
            schema.SOURCE_ENTITIES: pa.array(entities, schema.SOURCE_ENTITIES_TYPE),
            schema.LINKS: pa.array([links] * len(rows), schema.LINKS_TYPE),
        }
    )


def overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


@given(rows=st.lists(SPANS, max_size=4))
def test_overlapping_rows(rows: list[list[tuple[int, int]]]) -> None:
    expected = [
        number
        for number, row in enumerate(rows)
        if any(overlap(one, other) for place, one in enumerate(row) for other in row[:place])
    ]
    assert overlapping_rows(table_of(rows)[schema.SOURCE_ENTITIES]) == expected


@given(row=SPANS)
def test_layers_share_no_words_and_longer_ones_come_first(row: list[tuple[int, int]]) -> None:
    layers = layers_of(row)
    for place, one in enumerate(row):
        for before, other in enumerate(row[:place]):
            if layers[place] == layers[before]:
                assert not overlap(one, other)
        if layers[place]:
            above = [other for other, layer in zip(row, layers, strict=True) if layer == layers[place] - 1]
            assert any(overlap(one, other) and other[1] - other[0] >= one[1] - one[0] for other in above)


@given(rows=st.lists(SPANS, min_size=1, max_size=4))
def test_each_is_projected_by_itself(rows: list[list[tuple[int, int]]]) -> None:
    """With links from each word to itself, every entity lands where it was, whatever the others are."""
    table = table_of(rows)
    for found in (project_layers(table, Projector()), project_layers(table.to_batches()[0], Projector())):
        for row, spans, entities in zip(range(len(rows)), rows, found.column(schema.ENTITIES).to_pylist(), strict=True):
            assert {one["source"]: (one["start"], one["end"]) for one in entities} == dict(enumerate(spans)), row
        assert found.column(schema.SOURCE_ENTITIES).to_pylist() == table[schema.SOURCE_ENTITIES].to_pylist()
    layered = [[span for span, layer in zip(row, layers_of(row), strict=True) if not layer] for row in rows]
    outer = Projector()(table_of(layered))
    assert found.column(schema.LABELS).to_pylist() == outer[schema.LABELS].to_pylist()


@given(rows=st.lists(SPANS, min_size=1, max_size=4))
def test_hints_follow_their_entities(rows: list[list[tuple[int, int]]]) -> None:
    hints = [[{"source": place, "start": 10, "end": 11, "score": 50.0} for place in range(len(row))] for row in rows]
    table = table_of(rows).append_column(schema.HINTS, pa.array(hints, schema.HINTS_TYPE))
    found = project_layers(table, Projector(score={"align": 1, "hints": 1}))
    for row, entities in zip(rows, found.column(schema.ENTITIES).to_pylist(), strict=True):
        by_source = {one["source"]: (one["start"], one["end"]) for one in entities}
        for layer in set(layers_of(row)):
            its = [by_source[place] for place, one in enumerate(layers_of(row)) if one == layer and place in by_source]
            assert (10, 11) in its, "one of each layer goes where its hint is"


def test_choosing() -> None:
    table = table_of([[(0, 1)], [(2, 3), (0, 3), (2, 5)]])
    with pytest.raises(DataError) as caught:
        choose_nested(table, "error")
    assert str(caught.value) == (
        "row 1 (id 's1'), column 'source_entities', value C3 [0, 3): shares words with C1 [2, 3); "
        "`nested` decides: keep, outermost, innermost or compete"
    )

    def left(how: Any) -> tuple[list[list[tuple[int, int]]], int]:
        chosen, count = choose_nested(table, how)
        rows: Any = chosen[schema.SOURCE_ENTITIES].to_pylist()
        return [[(one["start"], one["end"]) for one in row] for row in rows], count

    assert left("outermost") == ([[(0, 1)], [(0, 3)]], 2)
    assert left("innermost") == ([[(0, 1)], [(2, 3)]], 2)
    assert left("keep") == ([[(0, 1)], [(2, 3), (0, 3), (2, 5)]], 0)


@pytest.mark.parametrize("options", [{}, {"memory": True}, {"filters": ["one-word"]}, {"method": "heuristic"}])
def test_a_pipeline_keeps_them(tmp_path: Path, options: dict[str, Any]) -> None:
    table = table_of([[(0, 3), (2, 3)], [(4, 6)]])
    with pytest.raises(DataError, match="shares words with"):
        Pipeline(**options).run(table)
    run = Pipeline(nested="keep", **options).run(table, tmp_path / "o.parquet")
    found = io.read(tmp_path / "o.parquet")
    spans: Any = found[schema.ENTITIES].to_pylist()
    assert [[(one["start"], one["end"]) for one in row] for row in spans] == [[(0, 3), (2, 3)], [(4, 6)]]
    assert pylist(found[schema.LABELS])[0][:4] == ["B-C3", "I-C3", "I-C3", "O"]
    assert "projected entities share words in 1 row" in str(run)
    assert "nested:keep" in run.signature


@pytest.mark.parametrize(
    ("statuses", "has_entities", "worst"),
    [
        (["ok", "ok"], True, "ok"),
        (["no_match", "ok"], True, "ok"),
        (["filtered", "ok"], True, "ok"),
        (["no_match", "filtered"], False, "filtered"),
        (["ok", "not_proven"], True, "not_proven"),
        (["not_proven", "infeasible"], True, "infeasible"),
        (["no_match", "too_long"], False, "too_long"),
        (["invalid", "row_dropped:one-word"], True, "row_dropped:one-word"),
    ],
)
def test_the_status_of_a_row_is_the_worst_one(statuses: list[str], has_entities: bool, worst: str) -> None:
    assert merged_status(statuses, has_entities=has_entities) == worst
    assert merged_status(statuses[::-1], has_entities=has_entities) == worst


def test_no_choice_for_an_inner_entity_is_said_of_the_row() -> None:
    """Of the outer entity three words are linked, of the inner one none is."""
    links = [(0, 0), (1, 1)]
    table = table_of([[(0, 3), (2, 3)], [(0, 3)]])
    some = [{"source": source, "target": target, "score": None} for source, target in links]
    table = table.set_column(table.schema.names.index("links"), "links", pa.array([some] * 2, schema.LINKS_TYPE))
    exactly: Any = {"constraint": "=", "n": 1}
    for found in (Projector(nested="keep", **exactly)(table), project_layers(table, Projector(**exactly))):
        assert found["status"].to_pylist() == ["infeasible", "ok"]
        assert pylist(pc.list_value_length(found["entities"])) == [1, 1]
    one = xner.project(["t"] * 11, [(0, 3, "A"), (2, 3, "B")], links, nested="keep", **exactly)
    assert (one.status, len(one.entities)) == ("infeasible", 1)
    assert Projector(nested="keep")(table)["status"].to_pylist() == ["ok", "ok"]


@pytest.mark.parametrize("spans", [[(0, 3), (2, 3)], [(2, 3), (0, 3)]])
def test_a_filter_that_drops_a_row_for_an_inner_entity_drops_it_whole(spans: list[tuple[int, int]]) -> None:
    """The inner entity, of one word, is linked to two."""
    table = table_of([spans, [(4, 7)]])
    links = [{"source": word, "target": word, "score": None} for word in range(11)]
    more = [*links, {"source": 2, "target": 3, "score": None}]
    table = table.set_column(table.schema.names.index("links"), "links", pa.array([more] * 2, schema.LINKS_TYPE))
    filters = Filters(["one-word:row"])
    found = project_layers(table, lambda some: filters(Projector()(some)))
    assert found["status"].to_pylist() == ["row_dropped:one-word", "ok"]
    assert pylist(pc.list_value_length(found["entities"])) == [0, 1]
    assert set(found["labels"].to_pylist()[0]) == {"O"}
    assert [sorted(one["source"] for one in row) for row in found["dropped"].to_pylist()] == [[0, 1], []]


BANK: tuple[Any, ...] = (["Bank", "von", "Oslo"], [(0, 3, "ORG"), (2, 3, "LOC")], [(0, 0), (1, 1), (2, 2)])


@pytest.mark.parametrize(
    ("nested", "found"),
    [
        ("keep", [(0, 3, "ORG", 0), (2, 3, "LOC", 1)]),
        ("outermost", [(0, 3, "ORG", 0)]),
        ("innermost", [(2, 3, "LOC", 1)]),
        ("compete", [(0, 2, "ORG", 0), (2, 3, "LOC", 1)]),
    ],
)
def test_one_sentence(nested: Any, found: list[tuple[int, int, str, int]]) -> None:
    one = xner.project(*BANK, nested=nested)
    assert [(entity.start, entity.end, entity.label, entity.source) for entity in one.entities] == found
    assert one.objective == pytest.approx(sum(entity.score for entity in one.entities))
    text = "Bank von Oslo"
    spans = xner.project_spans(text, text, [(0, 13, "ORG"), (9, 13, "LOC")], links=BANK[2], nested=nested)
    assert [(span.label, span.source) for span in spans.spans] == [entity[2:] for entity in found]
    left = {0, 1} - {source for *_, source in found}
    assert {span.source: span.reason for span in spans.unprojected} == dict.fromkeys(left, "left_out")


def test_hints_of_one_sentence_follow_their_entities() -> None:
    options: Any = {"score": {"align": 1, "hints": 1}, "nested": "keep"}
    dense = np.array([[0.0, 0.0, 9.0], [9.0, 0.0, 0.0]])
    for hints in ([(0, 2, 3, 9.0), (1, 0, 1, 9.0)], dense):
        candidates = [(0, 1), (1, 2), (2, 3)]
        found = xner.project(*BANK, candidates=candidates, hints=hints, **options)
        assert [(one.start, one.end, one.label) for one in found.entities] == [(2, 3, "ORG"), (0, 1, "LOC")]
    with pytest.raises(DataError, match="hints"):
        xner.project(*BANK, hints=[(2, 0, 1, 1.0)], **options)


def test_entities_that_share_words_are_an_error_in_python_too() -> None:
    table = table_of([[(0, 1)], [(2, 5), (0, 3)], [(0, 11), (4, 5)]])
    reason = "shares words with {}; `nested` decides: keep, outermost, innermost or compete"
    for stage in (Projector(), Pipeline()):
        with pytest.raises(DataError) as caught:
            stage(table)
        first = "row 1 (id 's1'), column 'source_entities', value C3 [0, 3): "
        assert str(caught.value) == first + reason.format("C3 [2, 5)")
    with pytest.raises(DataError) as caught:
        xner.project(*BANK)
    assert str(caught.value) == "column 'source_entities', value LOC [2, 3): " + reason.format("ORG [0, 3)")
    with pytest.raises(DataError) as caught:
        xner.project_spans(["a b"] * 2, ["a b"] * 2, [[], [(0, 3, "X"), (2, 3, "Y")]], nested="error")
    assert str(caught.value) == "row 1, column 'spans', value Y [2, 3): " + reason.format("X [0, 3)")
    for stage in (Projector(on_error="skip"), Pipeline(on_error="skip")):
        found = stage(table)
        assert found["status"].to_pylist() == ["ok", "invalid", "invalid"]
        assert found["entities"].to_pylist()[1:] == [[], []]
        assert found["source_entities"].equals(table["source_entities"])
    with pytest.raises(OptionError, match="nested='all': expected one of 'error', 'keep'"):
        Projector(nested="all")  # type: ignore[arg-type]  # wrong on purpose


def test_a_projector_says_what_it_does() -> None:
    projector = Projector(nested="keep")
    assert repr(projector) == "Projector(nested='keep')"
    assert projector.signature.endswith("|on_error:raise|nested:keep")
    assert pickle.loads(pickle.dumps(projector)).nested == "keep"


def test_on_the_command_line(tmp_path: Path) -> None:
    files = {"x.jsonl": '{"tokens":["Bank","of","Oslo"],"entities":[[0,3,"ORG"],[2,3,"LOC"]]}\n'}
    files |= {"x.txt": "Bank von Oslo\n", "x.pharaoh": "0-0 1-1 2-2\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    command = ["project", *(f"--{side}={tmp_path / f'x.{suffix}'}" for side, suffix in SIDES), "-o"]
    wrong = CliRunner().invoke(cli, [*command, str(tmp_path / "o.conll")])
    assert isinstance(wrong.exception, DataError)
    kept = CliRunner().invoke(cli, [*command, str(tmp_path / "o.conll"), "--nested", "keep"])
    assert "o.conll' has the longer ones alone; Parquet, Arrow and JSONL hold all" in kept.stderr
    assert (tmp_path / "o.conll").read_text() == "Bank\tB-ORG\nvon\tI-ORG\nOslo\tI-ORG\n\n"
    inner = CliRunner().invoke(cli, [*command, str(tmp_path / "i.conll"), "--nested", "innermost"])
    assert "1 source entities share words with others and are left out (nested=innermost)" in inner.stderr
    assert (tmp_path / "i.conll").read_text() == "Bank\tO\nvon\tO\nOslo\tB-LOC\n\n"


SIDES = (("source", "jsonl"), ("target", "txt"), ("links", "pharaoh"))
