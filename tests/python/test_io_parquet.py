from __future__ import annotations

import gc
import re
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from io_strategies import sentences
from xner import io, schema
from xner.errors import FormatError
from xner.io._joining import join_parquet
from xner.io.formats import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = ["parquet", "arrow", "feather"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parquet")


rows = st.fixed_dictionaries(
    {
        "id": st.text(max_size=3),
        "tokens": st.none() | sentences,
        "links": st.lists(
            st.fixed_dictionaries({"source": st.integers(0, 9), "target": st.integers(0, 9), "score": st.none()}),
            max_size=2,
        ),
        "status": st.none() | st.sampled_from(["ok", "no_links"]),
        "note": st.none() | st.text(max_size=3),
    }
)


def table_of(values: list[dict[str, Any]]) -> pa.Table:
    names = ("id", "tokens", "links", "status", "note")
    types = [schema.COLUMN_TYPES.get(name, pa.string()) for name in names]
    columns = [pa.array([row[name] for row in values], kind) for name, kind in zip(names, types, strict=True)]
    return pa.table(dict(zip(names, columns, strict=True)))


@given(
    values=st.lists(rows, max_size=6),
    cut=st.integers(0, 6),
    format=st.sampled_from(SUFFIXES),
    batch_rows=st.integers(1, 7),
)
def test_round_trip(folder: Path, values: list[dict[str, Any]], cut: int, format: str, batch_rows: int) -> None:
    # Two chunks with dictionaries of their own, as two batches of a stage have.
    table = pa.concat_tables([table_of(values[:cut]), table_of(values[cut:])])
    path = folder / f"round.{format}"
    io.write(table, path)
    back = io.read(path)
    assert back.schema.equals(table.schema)
    assert back.to_pylist() == table.to_pylist()
    batches = list(io.iter_batches(path, batch_rows=batch_rows))
    assert pa.Table.from_batches(batches).to_pylist() == table.to_pylist()
    assert all(batch.num_rows == batch_rows for batch in batches[:-1])


def test_row_groups_are_bounded(folder: Path) -> None:
    path = folder / "groups.parquet"
    table = pa.table({"n": list(range(10))})
    with io.open_writer(path, row_group_rows=4) as writer:
        for batch in table.to_batches(max_chunksize=3):
            writer.write(batch)
    with pq.ParquetFile(path) as file:
        groups = [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)]
    assert max(groups) <= 4
    assert io.read(path) == table


@pytest.mark.parametrize("format", SUFFIXES)
def test_other_forms_of_the_columns_are_brought_into_shape(folder: Path, format: str) -> None:
    wide_link = pa.struct([("target", pa.int64()), ("source", pa.int64())])
    table = pa.table(
        {
            "id": pa.array([5, 6]),
            "tokens": pa.array([["a"], []], pa.list_(pa.string_view())),
            "links": pa.array([[{"source": 0, "target": 1}], []], pa.list_(wide_link)),
            "status": pa.array(["ok", None]),
            "other": pa.array([[[1]], []]),
        }
    )
    path = folder / f"forms.{format}"
    io.write(table, path)
    back = io.read(path)
    assert back["id"].to_pylist() == ["5", "6"]
    assert back["tokens"].to_pylist() == [["a"], []]
    assert [(link["source"], link["target"]) for link in back["links"][0].as_py()] == [(0, 1)]
    assert back.schema.field("status").type == schema.STATUS_TYPE
    assert back["other"].to_pylist() == [[[1]], []]


@pytest.mark.parametrize("format", SUFFIXES)
def test_columns_of_another_type(folder: Path, format: str) -> None:
    path = folder / f"types.{format}"
    io.write(pa.table({"tokens": ["a b"]}), path)
    with pytest.raises(
        FormatError, match=rf"types.{format}: column 'tokens': expected list<item: string>, found string"
    ):
        io.read(path)
    io.write(pa.table({"links": [[{"source": 2**40, "target": 0}]]}), path)
    with pytest.raises(FormatError, match=rf"types.{format}: column 'links': .*1099511627776"):
        io.read(path)


def test_arrow_streams_are_read(folder: Path) -> None:
    path = folder / "stream.arrow"
    table = pa.table({"tokens": [["a"], []]})
    with path.open("wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    assert io.read(path) == table


@pytest.mark.parametrize("content", [b"", b"tokens\n", b"PAR1", b"ARROW1\0\0", b"PAR1" + b"\0" * 99 + b"PAR1"])
@pytest.mark.parametrize(("format", "kind"), [("parquet", "Parquet"), ("arrow", "Arrow")])
def test_files_that_are_something_else(folder: Path, format: str, kind: str, content: bytes) -> None:
    path = folder / f"else.{format}"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=rf"else.{format}: not a usable {kind} file: "):
        io.read(path)


@pytest.mark.parametrize(("format", "kind"), [("parquet", "a Parquet"), ("arrow", "an Arrow")])
def test_a_file_needs_a_batch(folder: Path, format: str, kind: str) -> None:
    path = folder / f"nothing.{format}"
    with (
        pytest.raises(FormatError, match=f"{kind} file needs at least one batch, which may be empty"),
        io.open_writer(path),
    ):
        pass
    assert not path.exists()


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_fields_keep_their_metadata(tmp_path: Path, suffix: str) -> None:
    field = schema.ner_probabilities_field(["O", "B-X", "I-X"])
    table = pa.table([pa.array([[[1.0, 0.0, 0.0]]], field.type)], schema=pa.schema([field]))
    io.write(table, tmp_path / f"a.{suffix}")
    found = io.read(tmp_path / f"a.{suffix}")
    assert schema.ner_label_names(found.schema.field(0)) == ("O", "B-X", "I-X")
    assert found.equals(table)


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_a_writer_that_is_given_up_says_nothing_when_it_is_collected(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    batch = pa.record_batch({"id": [str(number) for number in range(70_000)]})  # more than a row group

    def interrupted() -> None:
        with io.replacing(tmp_path / "rows") as file:
            writer = FORMATS[name].writer(file)
            writer.write(batch)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    gc.collect()
    assert unraisable == []
    assert list(tmp_path.iterdir()) == []


def test_a_flipped_bit_in_the_index_is_an_error_or_changes_nothing(tmp_path: Path) -> None:
    path, other = tmp_path / "x.parquet", tmp_path / "y.parquet"
    table = pa.table({"id": ["a", "b"], "tokens": [["Anna"], []]})
    io.write(table, path)
    content, expected = path.read_bytes(), io.read(path)
    name = pq.read_metadata(path).created_by
    assert re.fullmatch(r"parquet-cpp-arrow version [\d.]+ \(build xner-crc32-[0-9a-f]{8}\)", name)
    index = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    for place in range(index, len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        other.write_bytes(damaged)
        try:
            found = io.read(other)
        except FormatError:
            continue
        assert found.equals(expected, check_metadata=True), place
    # What others make of the rows has their checksum no more, and is read like all files without one.
    pq.write_table(pq.read_table(path), other)
    assert "xner" not in pq.read_metadata(other).created_by
    assert io.read(other).equals(expected)


def test_files_that_are_put_together_have_a_checksum_of_their_own(tmp_path: Path) -> None:
    part, path = tmp_path / "part.parquet", tmp_path / "x.parquet"
    io.write(pa.table({"id": ["a"], "tokens": [["xner-crc32"]]}), part)
    with path.open("wb") as file:
        join_parquet([part, part], file)
    names = {pq.read_metadata(one).created_by for one in (part, path)}
    assert len(names) == 2
    assert io.read(path).num_rows == 2


def test_a_flipped_bit_in_a_page_is_an_error_or_changes_nothing(tmp_path: Path) -> None:
    table = pa.table(
        {"id": ["a", "b", "c"] * 4, "tokens": [["Anna", "kam"], ["Oslo"], []] * 4, "score": [0.5, None, 2.0] * 4}
    )
    part, path = tmp_path / "part.parquet", tmp_path / "x.parquet"
    io.write(table, part)
    with path.open("wb") as file:
        join_parquet([part, part], file)
    expected, content = io.read(path), path.read_bytes()
    index = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    errors = 0
    for place in range(4, index, 5):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place // 5 % 8
        path.write_bytes(damaged)
        try:
            found = io.read(path)
        except FormatError:
            errors += 1
        else:
            assert found.equals(expected), place
    assert errors > (index - 4) // 5 / 2
