"""The corpus's memory: hints against the reference, and what they do to projections."""

from __future__ import annotations

import copy
import math
import multiprocessing
import pickle
import tempfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import memory as reference
from xner import schema
from xner._support.arrow import pylist
from xner.errors import DataError, Error, OptionError
from xner.projection import Memory, Projector, project_with_memory
from xner.projection.name_counts import KnownNames, NameCounts


def table(rows: list[dict[str, Any]], *, projected: bool = True) -> pa.Table:
    columns = {
        schema.TOKENS: pa.array([row["tokens"] for row in rows], schema.WORDS_TYPE),
        schema.SOURCE_TOKENS: pa.array([row["source"] for row in rows], schema.WORDS_TYPE),
        schema.SOURCE_ENTITIES: pa.array(
            [[{"start": s, "end": e, "label": "X"} for s, e in row["entities"]] for row in rows],
            schema.SOURCE_ENTITIES_TYPE,
        ),
    }
    if projected:
        columns[schema.ENTITIES] = pa.array(
            [
                [
                    {"start": s, "end": e, "label": "X", "score": 1.0, "margin": 1.0, "source": k}
                    for s, e, k in row["projections"]
                ]
                for row in rows
            ],
            schema.ENTITIES_TYPE,
        )
    else:
        columns[schema.LINKS] = pa.array(
            [[{"source": s, "target": t, "score": 1.0} for s, t in row["links"]] for row in rows], schema.LINKS_TYPE
        )
    return pa.table(columns)


def spans(length: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.integers(0, length - 1).flatmap(lambda start: st.tuples(st.just(start), st.integers(start + 1, length)))


@st.composite
def corpora(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = []
    for _ in range(draw(st.integers(0, 8))):
        source = draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=5))
        tokens = draw(st.lists(st.sampled_from("xyz"), min_size=1, max_size=6))
        entities = draw(st.lists(spans(len(source)), max_size=3))
        onto = draw(st.lists(spans(len(tokens)), min_size=len(entities), max_size=len(entities)))
        kept = draw(st.lists(st.booleans(), min_size=len(entities), max_size=len(entities)))
        projections = [(s, e, k) for k, ((s, e), keep) in enumerate(zip(onto, kept, strict=True)) if keep]
        rows.append({"source": source, "tokens": tokens, "entities": entities, "projections": projections})
    return rows


@given(corpora(), st.integers(1, 3), st.sampled_from([0.5, 1.0, 3.0]), st.integers(1, 3))
def test_hints_are_those_of_the_reference(rows: list[dict[str, Any]], least: int, weight: float, threads: int) -> None:
    memory = Memory(least=least, weight=weight)
    memory.remember(table(rows))
    found = pylist(memory.hint(table(rows), threads=threads).column(schema.HINTS))
    expected = reference.hints(
        [(row["source"], row["tokens"], row["entities"], row["projections"]) for row in rows], least, weight
    )
    for hints, wanted in zip(found, expected, strict=True):
        got = sorted((hint["source"], hint["start"], hint["end"], hint["score"]) for hint in hints)
        assert [item[:3] for item in got] == [item[:3] for item in sorted(wanted)]
        for hint, other in zip(got, sorted(wanted), strict=True):
            assert math.isclose(hint[3], other[3], rel_tol=1e-6)


@given(
    corpora(),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 2000),
    st.sampled_from([("a", "x"), ("A", " "), ("\\_", "\\"), ("a b", "É"), ("", "")]),
)
def test_counted_names_give_the_hints_of_the_memory(
    rows: list[dict[str, Any]], least: int, piece: int, most_bytes: int, spelling: tuple[str, str]
) -> None:
    """Whatever the pieces, and however often counts are sorted into files."""
    for row in rows:
        for side, other in zip(("source", "tokens"), spelling, strict=True):
            row[side] = [other if word in "ax" else word for word in row[side]]
    memory = Memory(least=least, weight=0.7)
    whole = table(rows)
    memory.remember(whole)
    with tempfile.TemporaryDirectory() as folder:
        counts = NameCounts(Path(folder), most_bytes, least=least)
        for first in range(0, whole.num_rows, piece):
            counts.add(whole.slice(first, piece))
        counts.write(Path(folder) / "names")
        assert [path.name for path in Path(folder).iterdir()] == ["names"]
        names = KnownNames(Path(folder) / "names", memory)
        pieces = [whole.slice(first, piece) for first in range(0, whole.num_rows, piece)]
        found = [row for one in pieces for row in pylist(names.hint(one).column(schema.HINTS))]
        assert found == pylist(memory.hint(whole).column(schema.HINTS))


def test_the_other_sentences_correct_one() -> None:
    """Three sentences link both words of the name; a fourth links one and, wrongly, the article."""
    row = {"source": ["the", "Member", "States"], "tokens": ["los", "Estados", "miembros"], "entities": [(1, 3)]}
    right = {**row, "links": [(0, 0), (1, 2), (2, 1)]}
    wrong = {**row, "tokens": ["Los", "ESTADOS", "miembros"], "links": [(1, 0), (1, 2), (2, 1)]}
    rows = table([right, right, right, wrong], projected=False)
    alone = Projector()(rows).column(schema.LABELS).to_pylist()
    assert alone[3] == ["B-X", "I-X", "I-X"]
    together = project_with_memory(rows, Projector())
    assert together.column(schema.LABELS).to_pylist() == [["O", "B-X", "I-X"]] * 4
    assert together.column(schema.ENTITIES)[3].as_py()[0]["score"] == pytest.approx(2.0)


def test_a_hint_can_stand_in_for_missing_links() -> None:
    row = {"source": ["Rome"], "tokens": ["in", "Rom"], "entities": [(0, 1)]}
    rows = table([{**row, "links": [(0, 1)]}, {**row, "links": [(0, 1)]}, {**row, "links": []}], projected=False)
    result = project_with_memory(rows, Projector())
    assert result.column(schema.LABELS).to_pylist() == [["O", "B-X"]] * 3
    assert result.column(schema.STATUS).to_pylist() == ["ok"] * 3


def test_a_row_does_not_vouch_for_itself() -> None:
    row = {"source": ["Rome"], "tokens": ["Rom"], "entities": [(0, 1)], "projections": [(0, 1, 0)]}
    memory = Memory(least=1)
    memory.remember(table([row]))
    assert len(memory) == 1
    assert memory.hint(table([row])).column(schema.HINTS).to_pylist() == [[]]


def test_nothing_of_a_row_vouches_for_it() -> None:
    """Neither other entities of the same words, nor other projections of the same entity."""
    thrice = {
        "source": ["Paris", "Paris", "Paris"],
        "tokens": ["Parigi", "Parigi", "Parigi"],
        "entities": [(0, 1), (1, 2), (2, 3)],
        "projections": [(0, 1, 0), (1, 2, 1), (2, 3, 2)],
    }
    twice = {"source": ["Rome"], "tokens": ["Rom", "x"], "entities": [(0, 1)], "projections": [(0, 1, 0), (1, 2, 0)]}
    for row in (thrice, twice):
        memory = Memory(least=1)
        memory.remember(table([row]))
        assert pylist(memory.hint(table([row])).column(schema.HINTS)) == [[]]
    other = {"source": ["Rome"], "tokens": ["Rom"], "entities": [(0, 1)], "projections": [(0, 1, 0)]}
    memory.remember(table([other]))
    (hints,) = pylist(memory.hint(table([twice])).column(schema.HINTS))
    assert [(hint["start"], hint["end"], hint["score"]) for hint in hints] == [(0, 1, 1.0)]


def test_rows_that_were_not_remembered_leave_nothing_out() -> None:
    seen = {"source": ["in", "Rome"], "tokens": ["in", "Rom"], "entities": [(1, 2)], "projections": [(1, 2, 0)]}
    new = {"source": ["Rome"], "tokens": ["Rom"], "entities": [(0, 1)], "projections": [(0, 1, 0)]}
    memory = Memory(least=1)
    memory.remember(table([seen]))
    assert [len(row) for row in pylist(memory.hint(table([seen])).column(schema.HINTS))] == [0]
    assert [len(row) for row in pylist(memory.hint(table([new])).column(schema.HINTS))] == [1]


def test_a_wrong_row_leaves_the_memory_as_it_was() -> None:
    right = {"source": ["Rome"], "tokens": ["Rom"], "entities": [(0, 1)], "projections": [(0, 1, 0)]}
    wrong = right | {"projections": [(0, 9, 0)]}
    memory = Memory(least=1)
    with pytest.raises(DataError, match="row 1, column 'entities'"):
        memory.remember(table([right, wrong]))
    assert len(memory) == 0


def test_nulls_are_not_remembered() -> None:
    rows = table([{"source": ["Rome"], "tokens": ["Rom"], "entities": [(0, 1)], "projections": [(0, 1, 0)]}])
    for entities in ([[None]], [[{"start": None, "end": 1, "label": "X", "score": 1.0, "margin": 1.0, "source": 0}]]):
        damaged = rows.set_column(
            rows.schema.get_field_index(schema.ENTITIES), schema.ENTITIES, pa.array(entities, schema.ENTITIES_TYPE)
        )
        with pytest.raises(DataError, match="row 0, column 'entities', value null: a null stands where"):
            Memory().remember(damaged)


def test_threads_share_a_memory() -> None:
    def rows(first: int) -> pa.Table:
        names = [f"name{number}" for number in range(first, first + 2000)]
        return table([{"source": [n], "tokens": [n], "entities": [(0, 1)], "projections": [(0, 1, 0)]} for n in names])

    tables = [rows(2000 * number) for number in range(4)]
    memory = Memory(least=1)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            list(pool.map(memory.remember, tables))
            list(pool.map(memory.hint, tables))
            list(pool.map(lambda _: (len(memory), pickle.dumps(memory)), range(4)))
    assert len(memory) == 8000


def test_hints_do_not_depend_on_the_order_of_entities() -> None:
    rows = {"tokens": ["a", "b", "c"], "source": ["a", "b", "c"], "links": [(0, 0), (2, 2)]}
    hint = [{"source": 1, "start": 1, "end": 3, "score": 2.0}]
    there = table([{**rows, "entities": [(0, 1), (2, 3)]}], projected=False)
    back = table([{**rows, "entities": [(2, 3), (0, 1)]}], projected=False)
    there = there.append_column(schema.HINTS, pa.array([hint], schema.HINTS_TYPE))
    back = back.append_column(schema.HINTS, pa.array([[{**hint[0], "source": 0}]], schema.HINTS_TYPE))
    assert Projector()(there).column(schema.LABELS) == Projector()(back).column(schema.LABELS)
    assert Projector()(there).column(schema.LABELS).to_pylist() == [["B-X", "B-X", "I-X"]]


BAD_HINTS = [
    (
        {"source": 2, "start": 0, "end": 1, "score": 1.0},
        "column 'hints', value 2: no such source entity; the row has 1",
    ),
    ({"source": -1, "start": 0, "end": 1, "score": 1.0}, "column 'hints', value -1: entities count from 0"),
    ({"source": 0, "start": 0, "end": 9, "score": 1.0}, "value [0, 9): a score is for a non-empty span"),
    ({"source": 0, "start": 1, "end": 1, "score": 1.0}, "value [1, 1): a score is for a non-empty span"),
    ({"source": 0, "start": 0, "end": 1, "score": math.nan}, "a score must be finite"),
    ({"source": 0, "start": None, "end": 1, "score": 1.0}, "a null stands where a value is needed"),
]


@pytest.mark.parametrize(("hint", "message"), BAD_HINTS)
def test_wrong_hints_are_named(hint: dict[str, Any], message: str) -> None:
    rows = table([{"source": ["a"], "tokens": ["b"], "entities": [(0, 1)], "links": [(0, 0)]}], projected=False)
    rows = rows.append_column(schema.HINTS, pa.array([[hint]], schema.HINTS_TYPE))
    with pytest.raises(DataError) as caught:
        Projector()(rows)
    assert message in str(caught.value)
    assert str(caught.value).startswith("row 0, column 'hints'")


def test_wrong_tables_and_options_are_named() -> None:
    row = {"source": ["a"], "tokens": ["b"], "entities": [(0, 1)], "projections": [(0, 5, 0)]}
    with pytest.raises(DataError, match=r"^row 0, column 'entities', value \[0, 5\): the span is outside"):
        Memory().remember(table([row]))
    with pytest.raises(DataError, match=r"^row 0, column 'entities', value 3: no such source entity; the row has 1"):
        Memory().remember(table([{**row, "projections": [(0, 1, 3)]}]))
    with pytest.raises(Error, match=r"^the memory needs the column\(s\) source_tokens; the table has: tokens"):
        Memory().remember(table([row]).drop_columns([schema.SOURCE_TOKENS]))
    with pytest.raises(Error, match=r"^least=0: expected"):
        Memory(least=0)
    with pytest.raises(Error, match=r"^weight=nan: expected"):
        Memory(weight=math.nan)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"least": True}, "least=True: expected a whole number from 1"),
        ({"least": 1.5}, r"least=1\.5: expected a whole number from 1"),
        ({"least": "2"}, "least='2': expected a whole number from 1"),
        ({"weight": True}, "weight=True: expected a number above 0"),
        ({"weight": math.inf}, "weight=inf: expected a number above 0"),
        ({"weight": "1"}, "weight='1': expected a number above 0"),
    ],
)
def test_options_of_other_types(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=f"^{message}"):
        Memory(**options)


LINKED = [
    {"tokens": ["x", "y"], "source": ["a", "b"], "entities": [(0, 1)], "links": [(0, 0)]},
    {"tokens": ["y", "x"], "source": ["b", "a"], "entities": [(1, 2)], "links": [(1, 1)]},
    {"tokens": ["y", "x"], "source": ["b", "a"], "entities": [(1, 2)], "links": []},
    {"tokens": ["z", "y", "x"], "source": ["A"], "entities": [(0, 1)], "links": [(0, 0)]},
]


def test_hints_that_are_there_are_not_overwritten() -> None:
    rows = project_with_memory(table(LINKED, projected=False), Projector())
    with pytest.raises(Error, match=r"makes the column 'hints', which the table has already: drop it, or call the pro"):
        project_with_memory(rows, Projector())
    again = project_with_memory(rows.drop_columns([schema.HINTS]), Projector())
    assert again.column(schema.LABELS).equals(rows.column(schema.LABELS))


def test_memories_are_copied_with_what_they_remember() -> None:
    first = Projector()(table(LINKED, projected=False))
    memory = Memory(least=1, weight=2.0)
    memory.remember(first)
    expected = memory.hint(first)
    assert any(expected.column(schema.HINTS).to_pylist())
    for other in (pickle.loads(pickle.dumps(memory)), copy.deepcopy(memory)):
        assert repr(other) == repr(memory) == "Memory(least=1, weight=2, 1 source entities)"
        assert other.hint(first).equals(expected)
        other.remember(first)
        assert not other.hint(first).equals(expected)
    assert memory.hint(first).equals(expected), "copies share nothing"


def hints_of(memory: Memory, rows: pa.Table) -> pa.Table:
    return memory.hint(rows)


def test_memories_work_in_other_processes() -> None:
    first = Projector()(table(LINKED, projected=False))
    memory = Memory(least=1)
    memory.remember(first)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(hints_of, memory, first).result(timeout=300).equals(memory.hint(first))
