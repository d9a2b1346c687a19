from __future__ import annotations

import gzip
import json
import math
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from io_strategies import classes, sentences
from xner import io, schema
from xner.errors import DataError, FormatError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jsonl")


def save(folder: Path, content: str) -> Path:
    path = folder / "file.jsonl"
    path.write_bytes(content.encode())
    return path


def test_reads_objects_and_lists(folder: Path) -> None:
    path = save(
        folder,
        '\ufeff{"id": 7, "tokens": ["a", "b\u2028c"], "source_entities": [[0, 2, "PER"]], '
        '"links": [[0, 1], [1, 0, 0.5]]}\r\n'
        "\n"
        '{"tokens": [], "source_entities": [{"start": 0, "end": 1, "label": "LOC"}], '
        '"links": [{"source": 2, "target": 3}], "status": "ok", "candidates": [[0, 2]], '
        '"entities": [{"start": 0, "end": 1, "label": "LOC", "margin": null}]}',
    )
    table = io.read_jsonl(path)
    assert {name: table.schema.field(name).type for name in table.column_names} == {
        name: schema.COLUMN_TYPES[name] for name in table.column_names
    }
    assert table.to_pylist() == [
        {
            "id": "7",
            "tokens": ["a", "b\u2028c"],
            "source_entities": [{"start": 0, "end": 2, "label": "PER"}],
            "links": [{"source": 0, "target": 1, "score": None}, {"source": 1, "target": 0, "score": 0.5}],
            "status": None,
            "candidates": None,
            "entities": None,
        },
        {
            "id": "1",
            "tokens": [],
            "source_entities": [{"start": 0, "end": 1, "label": "LOC"}],
            "links": [{"source": 2, "target": 3, "score": None}],
            "status": "ok",
            "candidates": [{"start": 0, "end": 2}],
            "entities": [{"start": 0, "end": 1, "label": "LOC", "score": None, "margin": None, "source": None}],
        },
    ]


def test_simple_fields_are_kept_and_others_left_out(folder: Path) -> None:
    table = io.read_jsonl(
        save(
            folder,
            '{"n": 1, "x": 1, "tags": ["a"], "deep": {"a": 1}, "nested": [[1]]}\n{"x": 0.5, "s": "t"}\n',
        )
    )
    assert table.to_pylist() == [
        {"id": "0", "n": 1, "x": 1.0, "tags": ["a"], "s": None},
        {"id": "1", "n": None, "x": 0.5, "tags": None, "s": "t"},
    ]


def test_files_without_rows(folder: Path) -> None:
    for content in ("", "\n", "\ufeff"):
        table = io.read_jsonl(save(folder, content))
        assert (table.num_rows, table.column_names) == (0, ["id"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"tokens": ["a"]', r"line 3: not JSON: .*: '\{\"tokens\": \[\"a\"\]'"),
        ("[" * 100_000, r"line 3: not JSON: maximum recursion depth"),
        ('["a"]', r"line 3: expected an object, found '\[\"a\"\]'"),
        ('{"x": NaN}', r"line 3: not JSON: NaN is not a JSON number"),
        ('{"tokens": ["\\ud800"]}', r"line 3: half of a surrogate pair is no character"),
        ('{"tokens": "a b"}', r"line 3, field 'tokens': expected a list, found \"a b\""),
        ('{"tokens": ["a", 1]}', r"line 3, field 'tokens': item 1: expected a text, found 1"),
        ('{"tokens": ["a", null]}', r"line 3, field 'tokens': item 1: expected a text, found null"),
        ('{"id": 1.5}', r"line 3, field 'id': expected a text or a whole number, found 1.5"),
        ('{"id": true}', r"line 3, field 'id': expected a text or a whole number, found true"),
        (
            '{"source_entities": [[0, 1]]}',
            r"line 3, field 'source_entities': item 0: expected \[start, end, label\], found \[0, 1\]",
        ),
        ('{"source_entities": [{"start": 0, "end": 1}]}', r"item 0: 'label' is missing in"),
        (
            '{"source_entities": [{"start": 0, "end": 1, "label": "X", "text": "y"}]}',
            r"item 0: 'text' is none of start, end, label",
        ),
        (
            '{"source_entities": [{"start": "0", "end": 1, "label": "X"}]}',
            r"item 0: 'start': expected a whole number, found \"0\"",
        ),
        ('{"source_entities": [[0, 1.0, "X"]]}', r"item 0: 'end': expected a whole number, found 1.0"),
        (
            '{"source_entities": [[0, 2147483648, "X"]]}',
            r"item 0: 'end': expected a whole number of 32 bits, found 2147483648",
        ),
        ('{"source_entities": ["PER"]}', r"item 0: expected an object with start, end, label, found \"PER\""),
        ('{"links": [[0]]}', r"line 3, field 'links': item 0: expected \[source, target\], found \[0\]"),
        ('{"links": [[0, 1, "x"]]}', r"item 0: 'score': expected a number, found \"x\""),
        ('{"links": [[0, true]]}', r"item 0: 'target': expected a whole number, found true"),
        ('{"labels": {"a": 1}}', r"line 3, field 'labels': expected a list, found \{\"a\": 1\}"),
        ('{"reviewed": 1}', r"line 3, field 'reviewed': expected true or false, found 1"),
        ('{"n": "text"}', r"line 3, field 'n': \"text\" is of another type than the values of earlier lines"),
        ('{"n": 99999999999999999999}', r"line 3, field 'n': 99999999999999999999 is of another type"),
    ],
)
def test_bad_lines(folder: Path, line: str, message: str) -> None:
    path = save(folder, '{"n": 1}\n\n' + line + "\n")
    with pytest.raises(FormatError, match=message) as caught:
        io.read_jsonl(path)
    assert str(caught.value).startswith(f"{path}, line 3")


def test_batches_have_the_columns_of_the_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(io.jsonl, "_ROWS", 2)
    path = save(folder, '{"n": 1}\n{"n": null}\n{}\n{"n": 2}\n{"n": 3}\n')
    assert [batch.num_rows for batch in io.iter_jsonl(path, batch_rows=3)] == [3, 2]
    path = save(folder, '{"n": 1}\n{}\n{"tokens": []}\n')
    with pytest.raises(FormatError, match=r"line 3: field 'tokens' is new; earlier lines have no such field"):
        list(io.iter_jsonl(path))
    assert io.read_jsonl(path)["tokens"].to_pylist() == [None, None, []]
    path = save(folder, '{"n": 1}\n{}\n{"n": "x"}\n')
    with pytest.raises(
        FormatError, match=r"line 3, field 'n': \"x\" is of another type than the values of earlier lines"
    ):
        list(io.iter_jsonl(path))
    with pytest.raises(FormatError, match=r"file.jsonl: a field changes its type between lines: .*n"):
        io.read_jsonl(path)


LARGEST = 3.4028234663852886e38  # number of 32 bits
indices = st.integers(0, 2**31 - 1)
floats = st.none() | st.floats(width=32, allow_nan=False, allow_infinity=False)
margins = floats.filter(lambda margin: margin is None or margin < LARGEST) | st.just(math.inf)
entities = st.lists(
    st.fixed_dictionaries(
        {
            "start": indices,
            "end": indices,
            "label": classes,
            "score": floats,
            "margin": margins,
            "source": st.none() | indices,
        }
    ),
    max_size=2,
)
rows = st.fixed_dictionaries(
    {
        "id": st.text(max_size=4),
        "tokens": st.none() | sentences,
        "source_entities": st.lists(
            st.fixed_dictionaries({"start": indices, "end": indices, "label": classes}), max_size=2
        ),
        "links": st.lists(st.fixed_dictionaries({"source": indices, "target": indices, "score": floats}), max_size=2),
        "entities": entities,
        "reviewed_entities": st.none() | entities,
        "marked_entities": st.none() | entities,
        "reviewed": st.none() | st.booleans(),
        "status": st.none() | st.sampled_from(["ok", "no_links"]),
        "note": st.text(max_size=4),
    }
)


@given(values=st.lists(rows, min_size=1, max_size=4), suffix=st.sampled_from(["", ".gz"]))
def test_round_trip(folder: Path, values: list[dict[str, Any]], suffix: str) -> None:
    arrays = {
        name: pa.array([row[name] for row in values], schema.COLUMN_TYPES.get(name, pa.string())) for name in values[0]
    }
    table = pa.table(arrays)
    path = folder / f"round.jsonl{suffix}"
    io.write_jsonl(table, path)
    assert io.read_jsonl(path).to_pylist() == table.to_pylist()


def test_floats_are_written_in_their_shortest_form(folder: Path) -> None:
    path = folder / "short.jsonl"
    links = pa.array([[{"source": 0, "target": 1, "score": 0.1}]], schema.LINKS_TYPE)
    io.write_jsonl(pa.table({"links": links}), path)
    assert json.loads(path.read_text()) == {"links": [{"source": 0, "target": 1, "score": 0.1}]}


def test_an_infinite_margin_is_the_largest_number(folder: Path) -> None:
    path = folder / "margin.jsonl"
    entity = {"start": 0, "end": 1, "label": "PER", "score": None, "margin": math.inf, "source": 0}
    table = pa.table({"entities": pa.array([[entity], None, []], schema.ENTITIES_TYPE)})
    io.write_jsonl(table, path)
    assert json.loads(path.read_text().splitlines()[0])["entities"][0]["margin"] == pytest.approx(LARGEST)
    assert io.read_jsonl(path)["entities"].to_pylist() == table["entities"].to_pylist()
    worse = pa.array([[{**entity, "score": math.inf}]], schema.ENTITIES_TYPE)
    with pytest.raises(DataError, match=r"row 0, column 'entities', value .*: not a JSON value"):
        io.write_jsonl(pa.table({"entities": worse}), path)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("x", float("nan"), r"row 1, column 'x', value nan: not a JSON value"),
        ("x", float("inf"), r"row 1, column 'x', value inf: not a JSON value"),
        ("x", b"a", r"row 1, column 'x', value b'a': not a JSON value: Object of type bytes"),
    ],
)
def test_values_that_cannot_be_written(folder: Path, name: str, value: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        io.write_jsonl(pa.table({"id": ["a", "b"], name: [None, value]}), folder / "none.jsonl")
    assert not (folder / "none.jsonl").exists()


def test_golden_projection_file(test_data: Path) -> None:
    path = test_data / "golden/projection.en-de.grow.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        first = json.loads(file.readline())
    table = io.read(path)
    assert table.num_rows == 799
    assert table["tokens"][0].as_py() == first["tokens"]
    assert table["n_source"][0].as_py() == first["n_source"]
    assert [[link["source"], link["target"]] for link in table["links"][0].as_py()] == first["links"]
