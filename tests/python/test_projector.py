"""`Projector` on Arrow data in every layout that other programs write."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import Sentence, many, sentences
from xner import io, schema
from xner._support.arrow import pylist
from xner.errors import DataError, Error
from xner.projection import ProjectionOptions, Projector, project
from xner.projection.nested import NESTED

if TYPE_CHECKING:
    from pathlib import Path

PLAIN_LINKS = pa.list_(pa.struct([("source", pa.int32()), ("target", pa.int32())]))
OUTPUT = (schema.ENTITIES, schema.LABELS, schema.STATUS)


def make(rows: list[dict[str, Any]], **types: pa.DataType) -> pa.RecordBatch:
    """A batch of the columns that the first row has, with the schema's types unless told otherwise."""
    return pa.record_batch(
        {
            name: pa.array([row[name] for row in rows], types.get(name, schema.COLUMN_TYPES.get(name)))
            for name in rows[0]
        }
    )


def row_of(sentence: Sentence, index: int = 0) -> dict[str, Any]:
    return {
        "id": f"s{index}",
        "tokens": sentence.tokens,
        "source_tokens": ["s"] * sentence.source_length,
        "source_entities": [{"start": start, "end": end, "label": label} for start, end, label in sentence.entities],
        "links": [
            {"source": source, "target": target, "score": score}
            for (source, target), score in zip(sentence.links, sentence.scores, strict=True)
        ],
    }


GOOD: dict[str, Any] = {
    "id": "s0",
    "tokens": ["a", "b", "c"],
    "source_tokens": ["x", "y"],
    "source_entities": [{"start": 0, "end": 2, "label": "PER"}],
    "links": [{"source": 0, "target": 1, "score": 0.5}, {"source": 1, "target": 2, "score": 1.0}],
}
LABELS = ["O", "B-PER", "I-PER"]


def result_of(batch: pa.RecordBatch | pa.Table) -> list[list[Any]]:
    return [batch.column(name).to_pylist() for name in OUTPUT]


# Equal to the per-sentence API, whatever the layout


@many(1)
@given(
    rows=st.lists(sentences(), min_size=1, max_size=8),
    method=st.sampled_from(["candidates", "heuristic"]),
    nested=st.sampled_from([one for one in NESTED if one != "error"]),
)
def test_rows_equal_sentences(rows: list[Sentence], method: Any, nested: Any) -> None:
    batch = make([row_of(sentence, index) for index, sentence in enumerate(rows)])
    found = Projector(method=method, threads=2, nested=nested)(batch)
    assert found.schema.field(schema.ENTITIES).type == schema.ENTITIES_TYPE
    assert found.schema.field(schema.LABELS).type == schema.WORDS_TYPE
    assert found.schema.field(schema.STATUS).type == schema.STATUS_TYPE
    found.validate(full=True)
    for row, sentence in zip(found.to_pylist(), rows, strict=True):
        expected = project(
            sentence.tokens,
            sentence.entities,
            sentence.links,
            method=method,
            link_scores=sentence.scores,
            source_length=sentence.source_length,
            nested=nested,
        )
        assert row["labels"] == expected.labels
        assert row["status"] == expected.status
        assert [tuple(entity.values()) for entity in row["entities"]] == [
            (entity.start, entity.end, entity.label, entity.score, entity.margin, entity.source)
            for entity in expected.entities
        ]


def wide(kind: pa.DataType) -> pa.DataType:
    """The type with 64-bit offsets wherever there are offsets."""
    if pa.types.is_list(kind):
        return pa.large_list(wide(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, wide(field.type)) for field in kind])
    return pa.large_string() if pa.types.is_string(kind) else kind


def several(count: int = 40) -> list[dict[str, Any]]:
    """Rows that differ in words, entities and links."""
    rows = []
    for index in range(count):
        words = index % 5 + 1
        rows.append(
            {
                "id": f"s{index}",
                "tokens": [f"t{word}" for word in range(words)],
                "source_tokens": ["s"] * words,
                "source_entities": [{"start": 0, "end": words, "label": f"L{index % 3}"}] * (index % 4 != 3),
                "links": [{"source": word, "target": word, "score": 0.5} for word in range(words)],
            }
        )
    return rows


@pytest.mark.parametrize("options", [{}, {"method": "heuristic"}, {"matcher": "greedy", "candidates": "ngram"}])
def test_wide_offsets_and_slices(options: dict[str, Any]) -> None:
    projector = Projector(threads=1, **options)
    narrow = make(several())
    columns = [name for name in narrow.schema.names if name != "id"]
    large = make(several(), **{name: wide(schema.COLUMN_TYPES[name]) for name in columns})
    expected = result_of(projector(narrow))
    assert result_of(projector(large)) == expected
    for start, stop in ((0, 0), (1, 40), (3, 20), (7, 8), (13, 40), (40, 40)):
        cut = [column[start:stop] for column in expected]
        for batch in (narrow, large):
            assert result_of(projector(batch.slice(start, stop - start))) == cut
        twice = narrow.slice(1).slice(start, max(0, stop - start - 1))
        assert result_of(projector(twice)) == [column[start + 1 : max(start + 1, stop)] for column in expected]


def test_children_with_offsets_of_their_own() -> None:
    """Lists over a sliced struct array whose fields are slices as well."""
    start = pa.array([9, 9, 9, 0, 0], pa.int32()).slice(2)
    end = pa.array([9, 2, 1, 1], pa.int32()).slice(1)
    label = pa.array(["?", "?", "?", "?", "PER", "LOC", "ORG"]).slice(4)
    item = pa.StructArray.from_arrays([start, end, label], ["start", "end", "label"]).slice(1)
    entities = pa.ListArray.from_arrays(pa.array([7, 0, 1, 2], pa.int32()).slice(1), item)
    source = pa.array([7, 0, 0], pa.int32()).slice(1)
    target = pa.array([7, 7, 1, 0], pa.int32()).slice(2)
    link = pa.StructArray.from_arrays([source, target], ["source", "target"])
    batch = pa.record_batch(
        {
            "tokens": pa.array([["a", "b"], ["c", "d"]]),
            "source_entities": entities,
            "links": pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), link),
        }
    )
    assert Projector()(batch).column("labels").to_pylist() == [["O", "B-LOC"], ["B-ORG", "O"]]


def test_dictionary_labels_and_other_types_are_cast() -> None:
    entity = pa.struct([("start", pa.int64()), ("end", pa.int16()), ("label", pa.dictionary(pa.int8(), pa.string()))])
    link = pa.struct([("source", pa.int64()), ("target", pa.uint8()), ("score", pa.float64())])
    batch = make(
        [GOOD, GOOD],
        tokens=pa.list_(pa.string_view()),
        source_entities=pa.list_(entity),
        links=pa.large_list(link),
    )
    assert Projector()(batch).column("labels").to_pylist() == [LABELS, LABELS]
    fixed = make([GOOD], tokens=pa.list_(pa.string(), 3), source_tokens=pa.list_(pa.large_string(), 2))
    assert Projector()(fixed).column("labels").to_pylist() == [LABELS]
    codes = make([GOOD], tokens=pa.list_(pa.dictionary(pa.int32(), pa.string())))
    assert Projector()(codes).column("labels").to_pylist() == [LABELS]


def test_fields_in_any_order_and_more_of_them() -> None:
    entity = pa.struct([("kind", pa.string()), ("label", pa.string()), ("end", pa.int32()), ("start", pa.int32())])
    link = pa.struct([("target", pa.int32()), ("certain", pa.bool_()), ("source", pa.int32())])
    batch = make([GOOD], source_entities=pa.list_(entity), links=pa.list_(link))
    assert Projector()(batch).column("labels").to_pylist() == [LABELS]


def test_links_without_scores() -> None:
    batch = make([GOOD], links=PLAIN_LINKS)
    assert Projector()(batch).column("labels").to_pylist() == [LABELS]
    with pytest.raises(Error) as error:
        Projector(count="weighted")(batch)
    assert str(error.value) == "column 'links': count='weighted' needs links with the field score"


def test_null_link_scores() -> None:
    """A sentence with a link without a score counts as one without scores; weights cannot do without."""
    links = [{"source": 0, "target": 1, "score": None}, {"source": 1, "target": 2, "score": 1.0}]
    batch = make([GOOD, {**GOOD, "links": links}])
    assert Projector()(batch).column("labels").to_pylist() == [LABELS, LABELS]
    with pytest.raises(DataError) as error:
        Projector(count="weighted")(batch)
    assert (
        str(error.value) == "row 1 (id 's0'), column 'links', value null: count='weighted' needs a score for every link"
    )


def test_fitting_columns_are_not_copied() -> None:
    batch = make([GOOD])
    columns = ("tokens", "source_entities", "links")
    conformed = schema.conform(batch, columns)
    for name in columns:
        for before, after in zip(batch.column(name).buffers(), conformed.column(name).buffers(), strict=True):
            assert (before and before.address) == (after and after.address)
    gc.collect()  # what earlier tests left must not go while this one counts
    allocated = pa.total_allocated_bytes()
    Projector()(batch)
    assert pa.total_allocated_bytes() == allocated


# Nulls


def test_null_rows() -> None:
    rows = [
        GOOD,
        {**GOOD, "tokens": None, "links": None},
        {**GOOD, "source_tokens": None},
        {**GOOD, "source_entities": None},
        {**GOOD, "links": None},
        {**GOOD, "id": None},
        {**GOOD, "tokens": [], "links": []},
        {**GOOD, "source_entities": []},
        {**GOOD, "source_tokens": [], "source_entities": [], "links": []},
    ]
    found = Projector()(make(rows))
    assert found.column("status").to_pylist() == [
        "ok",
        "empty_target",
        "ok",
        "missing_entities",
        "no_links",
        "ok",
        "empty_target",
        "ok",
        "empty_source",
    ]
    outside = ["O"] * 3
    assert found.column("labels").to_pylist() == [
        LABELS,
        [],
        LABELS,
        outside,
        outside,
        LABELS,
        [],
        outside,
        outside,
    ]
    assert found.column("labels").null_count == 0


def test_a_null_list_may_cover_garbage() -> None:
    """Offsets and values under a null say nothing, even where they would be wrong."""
    item = pa.StructArray.from_arrays(
        [pa.array([-7, 0], pa.int32()), pa.array([99, 1], pa.int32()), pa.array(["", "PER"])],
        ["start", "end", "label"],
    )
    link = pa.StructArray.from_arrays(
        [pa.array([-5, 0], pa.int32()), pa.array([2**31 - 1, 0], pa.int32())], ["source", "target"]
    )
    offsets = pa.array([0, 1, 2], pa.int32())
    first_is_null = pa.array([True, False])
    entities = pa.ListArray.from_arrays(offsets, item, mask=first_is_null)
    links = pa.ListArray.from_arrays(offsets, link, mask=first_is_null)
    words = pa.ListArray.from_arrays(offsets, pa.array(["a", "b"]), mask=first_is_null)
    batch = pa.record_batch({"tokens": words, "source_entities": entities, "links": links})
    found = Projector()(batch)
    assert found.column("labels").to_pylist() == [[], ["B-PER"]]
    assert found.column("status").to_pylist() == ["empty_target", "ok"]
    words = pa.ListArray.from_arrays(offsets, pa.array(["a", "b"]))
    batch = pa.record_batch({"tokens": words, "source_entities": entities, "links": links})
    assert Projector()(batch).column("status").to_pylist() == ["missing_entities", "ok"]


def test_null_words_are_words() -> None:
    batch = make([{**GOOD, "tokens": ["a", None, "c"]}])
    assert Projector()(batch).column("labels").to_pylist() == [LABELS]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("source_entities", [None]),
        ("source_entities", [{"start": None, "end": 1, "label": "X"}]),
        ("source_entities", [{"start": 0, "end": None, "label": "X"}]),
        ("source_entities", [{"start": 0, "end": 1, "label": None}]),
        ("links", [None]),
        ("links", [{"source": None, "target": 0}]),
        ("links", [{"source": 0, "target": None}]),
        ("candidates", [None]),
        ("candidates", [{"start": 0, "end": None}]),
    ],
)
def test_nulls_inside_lists(column: str, value: Any) -> None:
    good = {**GOOD, "candidates": [{"start": 1, "end": 3}]}
    batch = make([good, {**good, "id": "s1", column: value}, good])
    projector = Projector(candidates="given")
    with pytest.raises(DataError) as error:
        projector(batch)
    assert str(error.value) == f"row 1 (id 's1'), column '{column}', value null: a null stands where a value is needed"
    assert Projector(candidates="given", on_error="skip")(batch).column("status").to_pylist() == [
        "ok",
        "invalid",
        "ok",
    ]


# Shapes of tables


def test_nothing_to_do() -> None:
    empty = make([GOOD]).slice(0, 0)
    for batch in (empty, pa.RecordBatch.from_pylist([], schema=empty.schema)):
        found = Projector()(batch)
        assert found.num_rows == 0
        assert found.schema.names[-3:] == list(OUTPUT)
    for table in (
        pa.Table.from_batches([empty]),
        empty.schema.empty_table(),
        pa.Table.from_batches([], empty.schema),
    ):
        made = Projector()(table)
        assert isinstance(made, pa.Table)
        assert made.num_rows == 0
        assert made.schema.names[-3:] == list(OUTPUT)
        assert made.schema.field("entities").type == schema.ENTITIES_TYPE


def test_tables_and_batches() -> None:
    batch = make(several())
    expected = result_of(Projector()(batch))
    chunked = pa.Table.from_batches([batch.slice(0, 7), batch.slice(7, 0), batch.slice(7, 20), batch.slice(27)])
    found = Projector()(chunked)
    assert isinstance(found, pa.Table)
    assert isinstance(Projector()(batch), pa.RecordBatch)
    found.validate(full=True)
    assert result_of(found) == expected
    uneven = pa.table(
        {
            name: pa.chunked_array([batch.column(name).slice(0, cut), batch.column(name).slice(cut)])
            for cut, name in enumerate(batch.schema.names, start=3)
        }
    )
    assert result_of(Projector()(uneven)) == expected


def test_rows_of_errors_count_through_chunks() -> None:
    wrong = {**GOOD, "id": "wrong", "links": [{"source": 0, "target": 3, "score": 1.0}]}
    table = pa.Table.from_batches([make([GOOD, GOOD]), make([GOOD, wrong])])
    with pytest.raises(DataError) as error:
        Projector()(table)
    assert error.value.row == 3
    assert error.value.row_id == "wrong"
    assert str(error.value) == "row 3 (id 'wrong'), column 'links', value 0-3: the target sentence has 3 words"


def test_other_columns_and_metadata_stay() -> None:
    batch = make([GOOD, GOOD]).append_column("extra", pa.array([1, None]))
    batch = batch.replace_schema_metadata({"made by": "a test"})
    found = Projector()(batch)
    assert found.schema.names == [*batch.schema.names, *OUTPUT]
    assert found.select(batch.schema.names).equals(batch, check_metadata=True)


def test_columns_from_before_are_replaced_in_place() -> None:
    batch = make([GOOD])
    stale = pa.record_batch(
        {
            "labels": pa.array([["B-OLD"]]),
            "entities": pa.array([1]),
            **dict(zip(batch.schema.names, batch.columns, strict=True)),
        }
    )
    found = Projector()(stale)
    assert found.schema.names == [*stale.schema.names, "status"]
    assert found.column("labels").to_pylist() == [LABELS]
    assert found.schema.field("entities").type == schema.ENTITIES_TYPE


@pytest.mark.parametrize("kind", [pa.string(), schema.STATUS_TYPE, pa.dictionary(pa.int8(), pa.large_string())])
def test_statuses_merge(kind: pa.DataType) -> None:
    no_links = {**GOOD, "links": []}
    batch = make([GOOD, GOOD, GOOD, no_links, no_links])
    batch = batch.append_column("status", pa.array(["truncated", "ok", None, "truncated", "ok"]).cast(kind))
    found = Projector()(batch)
    assert found.column("status").to_pylist() == ["truncated", "ok", "ok", "no_links", "no_links"]
    assert found.schema.field("status").type == schema.STATUS_TYPE
    table = Projector()(pa.Table.from_batches([batch.slice(0, 1), batch.slice(1)]))
    assert table.column("status").to_pylist() == found.column("status").to_pylist()


# Threads


def test_output_does_not_depend_on_threads() -> None:
    table = pa.Table.from_batches([make(several())] * 500).combine_chunks()
    assert table.num_rows == 20_000
    variants: tuple[dict[str, Any], ...] = ({}, {"matcher": "greedy"}, {"method": "heuristic"})
    for options in variants:
        expected = Projector(threads=1, **options)(table)
        for threads in (0, 2, 3, 7):
            found = Projector(threads=threads, **options)(table)
            assert found.equals(expected)
            for name in OUTPUT:
                before, after = expected.column(name).chunks, found.column(name).chunks
                assert [part.buffers() for part in after] == [part.buffers() for part in before]


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_first_wrong_row_is_named(threads: int) -> None:
    rows = several(40) * 500
    bad = {"source": 0, "target": 99, "score": 1.0}
    for index in (19_990, 9_000, 8_999, 12_345):
        rows[index] = {**rows[index], "id": f"wrong {index}", "links": [bad]}
    with pytest.raises(DataError, match=r"^row 8999 \(id 'wrong 8999'\), column 'links', value 0-99: "):
        Projector(threads=threads)(make(rows))
    found = Projector(threads=threads, on_error="skip")(make(rows))
    status = found.column("status").to_pylist()
    assert [index for index, value in enumerate(status) if value == "invalid"] == [
        8_999,
        9_000,
        12_345,
        19_990,
    ]
    assert found.column("labels")[9_000].as_py() == ["O"] * len(rows[9_000]["tokens"])
    assert found.column("entities")[9_000].as_py() == []


# Options


def test_options_and_overrides() -> None:
    projector = Projector(ProjectionOptions(n=2), matcher="greedy")
    assert projector.options == ProjectionOptions(n=2, matcher="greedy")
    assert projector.signature == f"{projector.options.signature}|on_error:raise"


def test_given_candidates_per_row() -> None:
    rows = [
        {**GOOD, "candidates": [{"start": 1, "end": 3}]},
        {**GOOD, "candidates": [{"start": 0, "end": 2}, {"start": 0, "end": 2}]},
        {**GOOD, "candidates": []},
        {**GOOD, "candidates": None},
    ]
    found = Projector(candidates="given")(make(rows))
    assert found.column("labels").to_pylist() == [LABELS, ["B-PER", "I-PER", "O"], ["O"] * 3, ["O"] * 3]
    assert found.column("status").to_pylist() == ["ok", "ok", "no_match", "no_match"]
    # Nobody asks for the column where it is not used.
    assert Projector()(make([GOOD])).column("labels").to_pylist() == [LABELS]


# Bad input


def entity(start: int, end: int, label: str = "X") -> list[dict[str, Any]]:
    return [{"start": start, "end": end, "label": label}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"source_entities": entity(1, 1)},
            "column 'source_entities', value [1, 1): an entity's start is at least 0 and below its end",
        ),
        (
            {"source_entities": entity(-1, 1)},
            "column 'source_entities', value [-1, 1): an entity's start is at least 0 and below its end",
        ),
        (
            {"source_entities": entity(0, 3)},
            "column 'source_entities', value [0, 3): the source sentence has 2 words",
        ),
        (
            {"source_entities": entity(0, 1, "")},
            "column 'source_entities', value [0, 1): the entity has no label",
        ),
        (
            {"links": [{"source": 2, "target": 0}]},
            "column 'links', value 2-0: the source sentence has 2 words",
        ),
        ({"links": [{"source": 0, "target": -1}]}, "column 'links', value 0--1: word indices start at 0"),
        (
            {"links": [{"source": -(2**31), "target": 0}]},
            "column 'links', value -2147483648-0: word indices start at 0",
        ),
        ({"tokens": None}, "column 'links', value 0-1: the target sentence has 0 words"),
        (
            {"links": [{"source": 0, "target": 0, "score": float("nan")}]},
            "column 'links', value 0-0: the link's score is nan; scores must be finite",
        ),
        (
            {"source_tokens": None, "source_entities": entity(0, 2**31 - 1)},
            (
                "column 'source_entities', value [0, 2147483647): a source sentence of unknown length has at "
                "most 1048576 words"
            ),
        ),
        (
            {"source_tokens": None, "links": [{"source": 2**31 - 1, "target": 0}]},
            ("column 'links', value 2147483647-0: a source sentence of unknown length has at most 1048576 words"),
        ),
        (
            {"candidates": [{"start": 0, "end": 4}]},
            ("column 'candidates', value [0, 4): a candidate is a non-empty span; the target sentence has 3 words"),
        ),
    ],
)
def test_bad_rows(changes: dict[str, Any], message: str) -> None:
    good = {**GOOD, "candidates": [{"start": 0, "end": 1}]}
    batch = make([good, {**good, "id": "s1", **changes}])
    kind: Any = "given" if "candidates" in changes else "ngram"
    with pytest.raises(DataError) as error:
        Projector(candidates=kind)(batch)
    assert str(error.value) == f"row 1 (id 's1'), {message}"
    assert (error.value.row, error.value.row_id) == (1, "s1")
    assert error.value.reason == message.split(": ", 1)[1]
    with pytest.raises(DataError) as error:
        Projector(candidates=kind)(batch.drop_columns("id"))
    assert str(error.value) == f"row 1, {message}"
    found = Projector(candidates=kind, on_error="skip")(batch)
    assert found.column("status").to_pylist()[1] == "invalid"
    if kind != "given":
        with pytest.raises(DataError) as error:
            Projector(method="heuristic")(batch)
        assert str(error.value) == f"row 1 (id 's1'), {message}"


MAKES_LINKS = "; an aligner (`xner align`, or `aligner` of a pipeline) makes 'links'"


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (
            make([GOOD]).drop_columns("links"),
            "projection needs the column(s) links; the table has: id, tokens, source_tokens, source_entities"
            + MAKES_LINKS,
        ),
        (
            make([{"id": "s"}]),
            "projection needs the column(s) tokens, source_entities, links; the table has: id" + MAKES_LINKS,
        ),
        (
            make([GOOD]).append_column("tokens", pa.array([["a"]])),
            "projection: the table has more than one column 'tokens'",
        ),
        (
            [GOOD],
            (
                "expected a pyarrow RecordBatch or Table, found list; DataFrames and datasets.Dataset are tables, too, "
                "and pa.Table.from_pylist makes one of rows"
            ),
        ),
        (
            None,
            "expected a pyarrow RecordBatch or Table, found NoneType; DataFrames and datasets.Dataset are tables, too",
        ),
    ],
)
def test_bad_tables(batch: Any, message: str) -> None:
    with pytest.raises(Error) as error:
        Projector()(batch)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({"tokens": pa.string()}, "column 'tokens': expected list<"),
        ({"links": pa.string()}, "column 'links': expected list<"),
        ({"source_entities": pa.list_(pa.int32())}, "column 'source_entities': expected list<"),
    ],
)
def test_bad_types(changes: dict[str, pa.DataType], start: str) -> None:
    batch = make([GOOD])
    for name, kind in changes.items():
        index = batch.schema.get_field_index(name)
        batch = batch.set_column(index, name, sample(kind))
    with pytest.raises(Error) as error:
        Projector()(batch)
    assert str(error.value).startswith(start)


def sample(kind: pa.DataType) -> pa.Array[Any]:
    return pa.array(["x"], kind) if pa.types.is_string(kind) else pa.array([[1]], kind)


def test_indices_too_large_to_cast() -> None:
    link = pa.struct([("source", pa.int64()), ("target", pa.int64())])
    batch = make([{**GOOD, "links": [{"source": 2**40, "target": 0}]}], links=pa.list_(link))
    with pytest.raises(Error, match=r"^column 'links': expected list<.*1099511627776"):
        Projector()(batch)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": -1}, "threads=-1: expected a whole number from 0 to 2147483647"),
        ({"threads": 1.5}, "threads=1.5: expected a whole number from 0 to 2147483647"),
        ({"on_error": "ignore"}, "on_error='ignore': expected one of 'raise', 'skip'"),
        ({"matcher": "best"}, "matcher='best': expected one of 'exact', 'greedy', 'ortools', 'milp'"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error) as error:
        Projector(**options)
    assert str(error.value) == message


def test_unknown_option() -> None:
    with pytest.raises(Error, match="unknown option 'matchr'; did you mean 'matcher'"):
        Projector(matchr="exact")  # type: ignore[call-arg]  # what a type checker finds as well


def test_required_projections(tmp_path: Path) -> None:
    """A row that cannot meet the constraint says so; a margin without an alternative is null."""
    cannot = GOOD | {"id": "s1", "source_entities": [*GOOD["source_entities"], {"start": 0, "end": 1, "label": "X"}]}
    free = GOOD | {"id": "s2", "links": [*GOOD["links"], {"source": 0, "target": 0, "score": 1.0}]}
    found = Projector(constraint="=", n=2, candidates="ngram", nested="compete")(make([GOOD, cannot, free]))
    assert found.column("status").to_pylist() == ["ok", "infeasible", "ok"]
    assert found.column("labels").to_pylist()[1] == ["O", "O", "O"]
    found.validate(full=True)
    first, _, third = pylist(found.column("entities"))
    assert [entity["margin"] for entity in first] == [None, None]
    assert None not in [entity["margin"] for entity in third]
    io.write_jsonl(pa.Table.from_batches([found]), tmp_path / "rows.jsonl")
    assert pylist(io.read_jsonl(tmp_path / "rows.jsonl").column("entities"))[0][0]["margin"] is None
