from __future__ import annotations

import gzip
import os
import stat
from pathlib import Path

import pyarrow as pa
import pytest

from xner import io, schema
from xner.errors import Error

TABLE = pa.table(
    {
        "id": ["0", "1"],
        "tokens": [["a", "b"], ["c"]],
        "labels": [["O", "B-PER"], ["O"]],
        "links": pa.array([[{"source": 0, "target": 1, "score": None}], []], schema.LINKS_TYPE),
    }
)
TABLES = ("jsonl", "parquet", "arrow")
COLUMNS = {name: ["id", "tokens", "labels"] for name in io.FORMATS if name not in TABLES} | {
    "text": ["id", "tokens"],
    "pharaoh": ["id", "links"],
}
ALL = [pytest.param(name, marks=pytest.mark.needs("spacy") if name == "docbin" else ()) for name in io.FORMATS]
NAMES = [
    *(
        "a.conll",
        "a.conll02",
        "a.conll03",
        "a.bio",
        "a.iob",
        "a.CONLL",
        "a.conll.gz",
        "a.txt",
        "a.txt.gz",
        "a.jsonl",
    ),
    *("a.jsonl.gz", "a.parquet", "a.arrow", "a.feather", "a.pharaoh", "a.pharaoh.gz", "a.b.Conll.GZ"),
]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_the_suffix_tells_the_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    io.write(TABLE, path)
    back = io.read(path)
    assert back == TABLE.select(back.column_names)
    assert names_in(tmp_path) == [name]
    assert back.column_names == COLUMNS.get(io.format_of(path), TABLE.column_names)
    assert pa.Table.from_batches(io.iter_batches(path)) == back


@pytest.mark.parametrize("format", ALL)
def test_the_format_can_be_named(tmp_path: Path, format: str) -> None:
    path = tmp_path / "no-suffix"
    io.write(TABLE, path, format)
    columns = COLUMNS.get(format, TABLE.column_names)
    assert io.read(path, format).select(columns) == TABLE.select(columns)


@pytest.mark.parametrize("format", ALL)
def test_tables_without_rows(tmp_path: Path, format: str) -> None:
    path = tmp_path / "none"
    io.write(TABLE.slice(0, 0), path, format)
    assert io.read(path, format).num_rows == 0
    assert [batch.num_rows for batch in io.iter_batches(path, format)] == [0]


@pytest.mark.parametrize("name", ["a.csv", "a", "a.gz", "a.parquet.gz", "conll"])
def test_unknown_suffixes(tmp_path: Path, name: str) -> None:
    message = rf"cannot tell the format of '.*{name}' from its name; .* use one of these: conll: .conll "
    with pytest.raises(Error, match=message):
        io.write(TABLE, tmp_path / name)
    assert not names_in(tmp_path)
    (tmp_path / name).touch()
    for call in (io.read, io.iter_batches):
        with pytest.raises(Error, match=message):
            call(tmp_path / name)


def test_unknown_formats(tmp_path: Path) -> None:
    with pytest.raises(
        Error, match="unknown format 'csv'; the formats are conll, text, jsonl, parquet, arrow, pharaoh"
    ):
        io.read(tmp_path / "a.conll", "csv")


@pytest.mark.parametrize("format", ["parquet", "arrow", "docbin"])
def test_binary_formats_are_not_packed(tmp_path: Path, format: str) -> None:
    message = rf"'.*a.gz': files of the format '{format}' are compressed inside, not with gzip"
    with pytest.raises(Error, match=message):
        io.write(TABLE, tmp_path / "a.gz", format)


def test_missing_files(tmp_path: Path) -> None:
    for name in NAMES:
        with pytest.raises(FileNotFoundError, match=f"No such file or directory: '.*{name}'"):
            io.read(tmp_path / name)


@pytest.mark.parametrize("name", ["a.conll", "a.conll.gz", "a.jsonl", "a.parquet", "a.arrow"])
def test_an_exception_leaves_the_old_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"old")

    def write_half() -> None:
        with io.open_writer(path) as writer:
            writer.write(TABLE.to_batches()[0])
            raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        write_half()
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == [name]


def test_the_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with io.open_writer(path) as writer:
        for batch in TABLE.to_batches(max_chunksize=1):
            writer.write(batch)
            assert not path.exists()
    assert path.read_bytes() == b"a b\nc\n"


def test_writers_take_options(tmp_path: Path) -> None:
    io.write(TABLE, tmp_path / "a.conll", delimiter=" ", columns=("labels", "tokens"))
    assert (tmp_path / "a.conll").read_bytes() == b"O a\nB-PER b\n\nO c\n\n"
    with pytest.raises(TypeError, match="color"):
        io.write(TABLE, tmp_path / "b.conll", color="red")
    assert names_in(tmp_path) == ["a.conll"]


def test_replacing_keeps_links_and_permissions(tmp_path: Path) -> None:
    target = tmp_path / "real"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(target)
    with io.replacing(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_replacing_writes_to_devices_directly() -> None:
    with io.replacing(os.devnull) as file:
        file.write(b"new")
    assert not Path(os.devnull).is_file()


def test_replacing_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(Error, match=r"cannot write '.*nowhere/a.txt': the folder '.*nowhere' does not exist"):
        io.write(TABLE, tmp_path / "nowhere" / "a.txt")
    (tmp_path / "b.txt").mkdir()
    with pytest.raises(Error, match=r"cannot write '.*b.txt': it is a folder"):
        io.write(TABLE, tmp_path / "b.txt")


def test_equal_content_gives_equal_archives(tmp_path: Path) -> None:
    for name in ("a.txt.gz", "b.txt.GZ"):
        io.write(TABLE, tmp_path / name)
    assert (tmp_path / "a.txt.gz").read_bytes() == (tmp_path / "b.txt.GZ").read_bytes()
    assert gzip.decompress((tmp_path / "a.txt.gz").read_bytes()) == b"a b\nc\n"
    assert io.read(tmp_path / "b.txt.GZ")["tokens"].to_pylist() == [["a", "b"], ["c"]]


def test_all_is_sorted_and_there() -> None:
    assert io.__all__ == sorted(io.__all__)
    assert all(hasattr(io, name) for name in io.__all__)
