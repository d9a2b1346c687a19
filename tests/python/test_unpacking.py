"""Files that are made to fill memory: small ones that unpack to a gigabyte and more."""

from __future__ import annotations

import gzip
import re
import resource
import zlib
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_line import done, xner
from xner import io
from xner.errors import FormatError, OptionError
from xner.io import unpacking
from xner.io.unpacking import check_arrow, check_parquet, check_zlib, open_gzip

if TYPE_CHECKING:
    from pathlib import Path

MEMBER = gzip.compress((b"a" * 9_999 + b"\n") * 1_400, 9)  # 14 MB
TOO_MUCH = r"{name}: \d+ bytes unpack to \d+ or more, \d+ times as many, and 100 times are allowed; .* XNER_MAX_RATIO"


SLOW = pytest.mark.slow


def refuses(path: Path) -> Any:
    return pytest.raises(FormatError, match=TOO_MUCH.format(name=re.escape(path.name)))


def packed_bomb(path: Path) -> None:
    """A gigabyte of long lines in a megabyte or two."""
    word = b"a" * 100_000
    line = {".jsonl": b'{"tokens": ["%s"]}\n', ".conll": b"%s\tO\n\n", ".txt": b"%s\n"}[path.suffixes[0]] % word
    path.write_bytes(gzip.compress(line * 100, 9) * 100)
    assert path.stat().st_size < 5_000_000


@pytest.mark.parametrize(
    "name", [pytest.param("a.jsonl.gz", marks=SLOW), "a.txt.gz", pytest.param("a.conll.gz", marks=SLOW)]
)
def test_gzip(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    packed_bomb(path)
    with refuses(path):
        for _ in io.iter_batches(path):
            pass
    run = xner("evaluate", "--predicted", name, cwd=tmp_path)
    assert run.returncode == 1
    assert "times as many" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("format", ["label-studio", "doccano", "webanno"])
def test_a_file_without_an_end_of_line(tmp_path: Path, format: str) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"[" * 10_000_000, 9) * 100)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with refuses(path):
        io.read(path, format)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000  # kB, of a gigabyte and its copies


@pytest.mark.slow
def test_the_ratio_can_be_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(MEMBER * 6)  # 84 MB
    with refuses(path):
        io.read(path)
    monkeypatch.setenv("XNER_MAX_RATIO", "5000")
    assert sum(batch.num_rows for batch in io.iter_batches(path)) == 8_400
    for wrong in ("", "x", "0.5", "nan", "-1"):
        monkeypatch.setenv("XNER_MAX_RATIO", wrong)
        with pytest.raises(OptionError, match=f"XNER_MAX_RATIO='{wrong}': expected a number of at least 1"):
            io.read(path)


def test_small_files_and_usual_ratios_pass(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(MEMBER)
    assert io.read(path).num_rows == 1_400


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive\n", MEMBER[:-4], MEMBER[:100], MEMBER + b"more"],
    ids=["empty", "none", "without-its-end", "begun", "with-more"],
)
@pytest.mark.parametrize("command", [("inspect",), ("evaluate", "--predicted")])
def test_broken_archives_are_told(tmp_path: Path, content: bytes, command: tuple[str, ...]) -> None:
    (tmp_path / "a.txt.gz").write_bytes(content)
    run = xner(*command, "a.txt.gz", cwd=tmp_path)
    assert run.returncode in {0, 1}
    assert "Traceback" not in run.stderr
    assert not content or "a.txt.gz: not a whole gzip archive: " in run.stdout + run.stderr


def constant(rows: int = 250_000) -> pa.Table:
    """A quarter of a gigabyte of one text."""
    return pa.table({"text": pa.chunked_array([pa.array(["a" * 1000]).take(pa.array([0] * rows))])})


def parquet_bomb(path: Path, **options: Any) -> None:
    given: dict[str, Any] = {"compression": "zstd", "use_dictionary": False, "data_page_size": 1 << 26, **options}
    pq.write_table(constant(), path, **given)


@pytest.mark.parametrize("compression", ["zstd", pytest.param("gzip", marks=pytest.mark.slow), "brotli"])
@pytest.mark.parametrize("version", [pytest.param("1.0", marks=SLOW), "2.0"])
def test_parquet(tmp_path: Path, compression: str, version: str) -> None:
    path = tmp_path / "a.parquet"
    parquet_bomb(path, compression=compression, data_page_version=version)
    assert path.stat().st_size < 2_600_000
    allocated = pa.total_allocated_bytes()
    with refuses(path):
        next(io.iter_batches(path))
    assert pa.total_allocated_bytes() - allocated < 10_000_000


def padded(value: int, length: int) -> bytes:
    """A number in Thrift's compact protocol, as long as asked for."""
    value <<= 1
    return bytes([value >> 7 * place & 127 | 128 for place in range(length - 1)] + [value >> 7 * (length - 1) & 127])


def varint(value: int) -> bytes:
    return next(found for length in range(1, 10) if (found := padded(value, length)) and value << 1 < 1 << 7 * length)


def test_an_index_that_lies(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet_bomb(path)
    metadata = pq.read_metadata(path)
    size = metadata.row_group(0).column(0).total_uncompressed_size
    content, true = path.read_bytes(), varint(size)
    assert true in content
    path.write_bytes(content.replace(true, padded(1000, len(true))))
    assert pq.read_metadata(path).row_group(0).column(0).total_uncompressed_size == 1000
    with refuses(path):
        io.read(path)


@pytest.mark.parametrize("kind", ["file", "stream"])
@pytest.mark.parametrize("codec", ["zstd", "lz4"])
@pytest.mark.parametrize("dictionary", [False, True])
def test_arrow(tmp_path: Path, kind: str, codec: Any, dictionary: bool) -> None:
    path = tmp_path / "a.arrow"
    table = constant()
    if dictionary:  # of one long text
        values = pa.array(["a" * 250_000_000])
        table = pa.table({"text": pa.DictionaryArray.from_arrays(pa.array([0]), values)})
    make = pa.ipc.new_file if kind == "file" else pa.ipc.new_stream
    with path.open("wb") as file, make(file, table.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as out:
        out.write_table(table)
    assert path.stat().st_size < 2_500_000
    allocated = pa.total_allocated_bytes()
    with refuses(path):
        next(io.iter_batches(path))
    assert pa.total_allocated_bytes() - allocated < 10_000_000


@pytest.mark.slow
@pytest.mark.needs("spacy")
def test_docbin(tmp_path: Path) -> None:
    path = tmp_path / "a.spacy"
    packer = zlib.compressobj(9)
    path.write_bytes(b"".join(packer.compress(b"\0" * 10_000_000) for _ in range(30)) + packer.flush())
    assert path.stat().st_size < 5_000_000
    with refuses(path):
        io.read(path)


def test_usual_tables_pass(tmp_path: Path) -> None:
    """Those that pyarrow writes in all its ways: versions of pages, codecs, encodings, with and without an index."""
    words = [["Anna", "kam", str(number), "ü" * 30] for number in range(30_000)]
    table = pa.table({"tokens": pa.array(words), "n": range(30_000), "none": pa.nulls(30_000, pa.string())})
    ways: list[dict[str, Any]] = [
        {"compression": codec, "data_page_version": version, "use_dictionary": dictionary, "write_page_index": index}
        for codec in ("none", "snappy", "gzip", "brotli", "zstd", "lz4")
        for version, dictionary, index in (("1.0", True, False), ("2.0", False, True), ("2.0", True, True))
    ]
    for number, way in enumerate(ways):
        path = tmp_path / f"{number}.parquet"
        pq.write_table(table, path, data_page_size=10_000, row_group_size=7_000, **way)
        assert io.read(path).equals(table)
        metadata = pq.read_metadata(path)
        sizes: list[int] = []
        with path.open("rb") as file:
            for group in range(metadata.num_row_groups):
                for index in range(metadata.num_columns):
                    column = metadata.row_group(group).column(index)
                    start = min(column.data_page_offset, column.dictionary_page_offset or column.data_page_offset)
                    sizes += unpacking._page_sizes(file, path, start, start + column.total_compressed_size)
        declared = [metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups)]
        headers = sum(declared) - sum(sizes)  # which the index counts as well
        assert 0 <= headers < 200 * len(sizes)
    for codec in (None, "zstd", "lz4"):
        path = tmp_path / "a.arrow"
        with path.open("wb") as file:
            out = pa.ipc.new_file(file, table.schema, options=pa.ipc.IpcWriteOptions(compression=codec))
            for batch in table.to_batches(max_chunksize=1000):
                out.write_batch(batch)
            out.close()
        assert io.read(path).equals(table)


@given(data=st.data())
def test_damaged_tables_are_refused_or_read(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    table = pa.table({"text": ["ab" * 50] * 20, "n": range(20)})
    pq.write_table(table, folder / "a.parquet", compression="zstd")
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with (folder / "a.arrow").open("wb") as file, pa.ipc.new_file(file, table.schema, options=options) as out:
        out.write_table(table)
    for name in ("a.parquet", "a.arrow"):
        content = bytearray((folder / name).read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path = folder / name
        path.write_bytes(content)
        try:
            if name == "a.arrow":
                check_arrow(path, is_file=True)
            else:
                check_parquet(path)
        except (FormatError, pa.ArrowException, OSError):
            continue


@pytest.mark.slow
def test_what_is_not_packed_has_no_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet_bomb(path, compression="none")
    check_parquet(path)
    (tmp_path / "a").write_bytes(b"no stream of zlib")
    check_zlib(tmp_path / "a")
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"a b\n"))
    with open_gzip(tmp_path / "b.gz") as file:
        assert list(file) == [b"a b\n"]
    (tmp_path / "c.conll.gz").write_bytes(gzip.compress(b"a\tB-X\n"))
    assert "1 sentence" in done(xner("inspect", "c.conll.gz", cwd=tmp_path)).stdout


def test_an_index_with_a_compression_that_there_is_not(tmp_path: Path) -> None:
    """On which pyarrow itself ends the process when it is asked about the column."""
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["ab" * 50] * 20}), path, compression="zstd")
    content = bytearray(path.read_bytes())
    length = int.from_bytes(content[-8:-4], "little")
    index, _ = unpacking._thrift_struct(bytes(content[-8 - length : -8]), 0)
    assert index[4][0][1][0][3][4] == 6  # ZSTD
    places = [at for at in range(len(content) - 8 - length, len(content) - 8) if content[at] == 12]  # 6 in zigzag
    refused = 0
    for at in places:
        content[at] = 60
        path.write_bytes(content)
        content[at] = 12
        try:
            io.read(path)
        except FormatError as error:
            refused += "there is no compression 30" in str(error)
    assert refused == 1
