"""Stages that translate, by translators that are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from xner import DataError, Error, filters, schema
from xner.text import by_blanks
from xner.translation.stages import adopt_marked, outer_entities, translate_back, translate_source, translate_target

if TYPE_CHECKING:
    from collections.abc import Sequence

ANN = {"start": 0, "end": 2, "label": "PER"}
ROME = {"start": 3, "end": 4, "label": "LOC"}
SAID = {
    "Ann Lee saw Rome .": "Li vide Roma .",
    "[Ann Lee] saw [Rome] .": "[Li] vide [Roma] .",
    "Ann Lee": "Li",
    "Rome": "Roma",
    "no one": ("x x x x x x x x", "looping"),
    "Ann Lee in Rome": ("Ann Lee in Rome", "copied"),
    "[Ann Lee] in [Rome]": ("[Ann Lee] in [Rome]", "copied"),
    "": ("", "empty_source"),
}


def say(texts: Sequence[str]) -> list[Any]:
    return [SAID[text.replace("[ ", "[").replace(" ]", "]")] for text in texts]


def rows(kind: type[pa.RecordBatch] | type[pa.Table] = pa.Table) -> Any:
    tokens = [["Ann", "Lee", "saw", "Rome", "."], ["no", "one"], ["Ann", "Lee", "in", "Rome"], []]
    return kind.from_arrays(
        [
            pa.array(["a", "b", "c", "d"]),
            pa.array(tokens, schema.WORDS_TYPE),
            pa.array([[ANN, ROME], [], [ANN, ROME], None], schema.SOURCE_ENTITIES_TYPE),
        ],
        names=[schema.ID, schema.SOURCE_TOKENS, schema.SOURCE_ENTITIES],
    )


OPTIONS: Any = {"join": " ".join}


@pytest.mark.parametrize("kind", [pa.Table, pa.RecordBatch])
def test_the_target_side_is_made_and_bad_translations_leave_no_words(kind: Any) -> None:
    found = translate_target(rows(kind), say, by_blanks, **OPTIONS)
    assert isinstance(found, kind)
    assert found.schema.names[:3] == rows().schema.names
    made = found.to_pydict()
    assert made["tokens"] == [["Li", "vide", "Roma", "."], [], [], []]
    assert made["translation"] == ["Li vide Roma .", "x x x x x x x x", "Ann Lee in Rome", ""]
    assert made["translation_status"] == ["ok", "looping", "copied", "empty_source"]
    kept = translate_target(rows(), say, by_blanks, keep_bad=True, **OPTIONS).to_pydict()
    assert kept["tokens"][1:3] == [["x"] * 8, ["Ann", "Lee", "in", "Rome"]]


def test_markers_give_entities_or_say_why_not() -> None:
    made = translate_target(rows(), say, by_blanks, markers="brackets", **OPTIONS).to_pydict()
    assert made["tokens"] == [["Li", "vide", "Roma", "."], [], [], []]
    assert made["translation_status"] == ["ok", "looping", "copied", "empty_source"]
    assert made["marker_problem"] == [None, "bad_translation", "bad_translation", None]
    spans = [
        None if row is None else [(e["start"], e["end"], e["source"]) for e in row] for row in made["marked_entities"]
    ]
    assert spans == [[(0, 1, 0), (2, 3, 1)], None, None, []]


def test_the_source_side_may_be_a_copy() -> None:
    target = rows().select([schema.SOURCE_TOKENS]).rename_columns([schema.TOKENS])
    made = translate_source(target, say, by_blanks, **OPTIONS).to_pydict()
    assert made["source_tokens"] == [["Li", "vide", "Roma", "."], [], ["Ann", "Lee", "in", "Rome"], []]
    assert made["tokens"] == target.column("tokens").to_pylist()


@pytest.mark.parametrize("kind", [pa.Table, pa.RecordBatch])
def test_back_translation_replaces_the_source_side_where_markers_hold(kind: Any) -> None:
    made = translate_back(rows(kind), say, by_blanks, **OPTIONS).to_pydict()
    assert made["source_tokens"][0] == ["Li", "vide", "Roma", "."]
    assert made["source_entities"][0] == [{**ANN, "end": 1}, {**ROME, "start": 2, "end": 3}]
    assert made["marker_problem"] == [None, "bad_translation", "bad_translation", None]
    before = rows().to_pydict()
    assert made["source_tokens"][1:3] == before["source_tokens"][1:3]
    assert made["source_entities"][1:3] == before["source_entities"][1:3]
    assert made["pivot_tokens"] == before["source_tokens"]
    assert made["pivot_entities"] == before["source_entities"]


def entity(start: int, end: int, label: str = "PER", source: int = 0) -> dict[str, Any]:
    return {"start": start, "end": end, "label": label, "score": None, "margin": None, "source": source}


def projected(marked: list[Any]) -> pa.Table:
    found = {"start": 2, "end": 3, "label": "LOC", "score": 1.0, "margin": 0.5, "source": 0}
    columns = {
        schema.TOKENS: pa.array([["a", "b", "c"]] * len(marked), schema.WORDS_TYPE),
        schema.SOURCE_ENTITIES: pa.array([[ROME]] * len(marked), schema.SOURCE_ENTITIES_TYPE),
        schema.ENTITIES: pa.array([[found]] * len(marked), schema.ENTITIES_TYPE),
        schema.LABELS: pa.array([["O", "O", "B-LOC"]] * len(marked), schema.WORDS_TYPE),
        schema.STATUS: pa.array(["no_links"] * len(marked)).dictionary_encode(),
        schema.MARKED_ENTITIES: pa.array(marked, schema.ENTITIES_TYPE),
    }
    return pa.table(columns)


def test_marked_entities_go_before_projected_ones() -> None:
    table = adopt_marked(projected([[entity(0, 2)], None, []]))
    made = table.to_pydict()
    assert made["labels"] == [["B-PER", "I-PER", "O"], ["O", "O", "B-LOC"], ["O", "O", "O"]]
    assert [len(row) for row in made["entities"]] == [1, 1, 0]
    assert made["status"] == ["ok", "no_links", "no_links"]
    assert table.schema.field(schema.STATUS).type == schema.STATUS_TYPE
    filtered: Any = filters.Filters(["min-margin=0.1"])(table)
    assert [len(row) for row in filtered.column("entities").to_pylist()] == [0, 1, 0], "markers give no margin"


def test_rows_whose_markers_broke_may_be_dropped() -> None:
    table = projected([[entity(0, 2)], None, []])
    problems = pa.array([None, "missing", None], pa.string())
    made = adopt_marked(table.append_column(schema.MARKER_PROBLEM, problems), drop_broken=True)
    assert made.column("labels").to_pylist() == [["B-PER", "I-PER", "O"], ["O", "O", "O"], ["O", "O", "O"]]
    assert made.column("status").to_pylist() == ["ok", "row_dropped:missing", "no_links"]
    assert schema.is_row_dropped(made.column("status")).to_pylist() == [False, True, False]


def test_of_nested_entities_the_outer_ones_stay() -> None:
    nested = [entity(1, 2, "LOC", 1), entity(0, 3, "ORG"), entity(4, 5)]
    assert outer_entities(pa.array([nested, None], schema.ENTITIES_TYPE)).to_pylist() == [[nested[1], nested[2]], None]
    assert adopt_marked(projected([nested[:2]])).column("labels").to_pylist() == [["B-ORG", "I-ORG", "I-ORG"]]


def test_wrong_rows_are_named() -> None:
    wrong = rows().set_column(
        2, schema.SOURCE_ENTITIES, pa.array([[], [{**ANN, "end": 3}], [], []], schema.SOURCE_ENTITIES_TYPE)
    )
    with pytest.raises(DataError, match=r"row 1 \(id 'b'\), column 'source_entities', value \[0, 3\): .* 2 words"):
        translate_target(wrong, say, by_blanks, markers="tags")
    with pytest.raises(Error, match="translation needs the column\\(s\\) tokens"):
        translate_source(rows(), say, by_blanks)
    with pytest.raises(Error, match="the translator made 0 translations of 4 texts"):
        translate_target(rows(), lambda texts: [], by_blanks)
