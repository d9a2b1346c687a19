"""Parquet and Arrow files. Columns of the contract are brought into types that the core reads."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

import pyarrow as pa

from xner import schema
from xner._layouts import plain
from xner._support.arrow import is_lists
from xner.errors import Error, FormatError
from xner.io._classes import named_classes
from xner.io._fields import with_optional_fields
from xner.io._lines import rebatch
from xner.io._parquet_index import end_of_file, read_index
from xner.io._rows import write_rows
from xner.io.unpacking import check_arrow, check_parquet

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Iterator
    from io import IOBase

    import pyarrow.parquet as pq

__all__ = [
    "ArrowWriter",
    "ParquetWriter",
    "iter_arrow",
    "iter_parquet",
    "parquet_size",
    "read_arrow",
    "read_parquet",
    "write_arrow",
    "write_parquet",
]

_WHOLE_ROWS = 100_000  # a batch, where all of them are kept: larger ones are read in half the time
_ARROW_FILE_MAGIC = b"ARROW1"
_MARKS = {b"PAR1": "Parquet", _ARROW_FILE_MAGIC: "Arrow"}
_UNREADABLE = (
    pa.ArrowIndexError,
    pa.ArrowInvalid,
    pa.ArrowKeyError,
    pa.ArrowNotImplementedError,
    pa.ArrowTypeError,
)
_REMEDY = "; the file is damaged: fetch or write it anew"


def iter_parquet(
    path: str | os.PathLike[str], *, batch_rows: int = 16_384, as_found: Collection[str] = ()
) -> Iterator[pa.RecordBatch]:
    """Reads a Parquet file in batches, so that memory stays bounded.

    Args:
        path: the file.
        batch_rows: rows a batch.
        as_found: columns that keep their types, whatever the contract says of their names.

    Yields:
        Batches of all columns; at least one.

    Raises:
        FormatError: not a Parquet file, one that unpacks to too much, or a column of another type than the contract's.
    """
    return rebatch(_conforming(_iter_parquet(path, batch_rows), path, "Parquet", as_found), batch_rows)


def _opened(path: str | os.PathLike[str], kind: str) -> pa.OSFile:
    """A file that pyarrow reads on its own, several times as fast as through one of Python's, which says what fails.

    Raises:
        FormatError: it is empty, or of the other kind.
    """
    with Path(path).open("rb") as file:
        begin = file.read(len(_ARROW_FILE_MAGIC))
    if not begin:
        raise FormatError(f"{path}: not a usable {kind} file: it is empty{_REMEDY}")
    for mark, other in _MARKS.items():
        if begin.startswith(mark) and other != kind:
            remedy = f"give its format, or a name that ends in .{other.lower()}"
            raise FormatError(f"{path}: not a usable {kind} file: it is a {other} file; {remedy}")
    return pa.OSFile(str(Path(path)), "rb")


def _iter_parquet(path: str | os.PathLike[str], batch_rows: int) -> Iterator[pa.RecordBatch]:
    with _opened(path, "Parquet") as opened, _checked_file(opened) as file:
        check_parquet(path)
        yield pa.RecordBatch.from_pylist([], schema=file.schema_arrow)
        rows = 0
        for batch in file.iter_batches(batch_size=batch_rows):
            rows += batch.num_rows
            yield batch
        if rows != file.metadata.num_rows:
            raise pa.ArrowInvalid(f"{rows} rows where the file's index promises {file.metadata.num_rows}{_REMEDY}")


def _checked_file(opened: pa.OSFile) -> pq.ParquetFile:
    """A file whose pages are held against their checksums, those that have some: ours have."""
    import pyarrow.parquet as pq  # heavy, and needed for this format alone

    # What is buffered before it is asked for stays to the end: that would be the whole file.
    return pq.ParquetFile(opened, pre_buffer=False, page_checksum_verification=True)


def parquet_size(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    """How many rows, and how many bytes when unpacked, a file's index promises; None: none can be read."""
    import pyarrow.parquet as pq  # heavy, and needed for this format alone

    try:
        known = pq.read_metadata(Path(path))
    except (*_UNREADABLE, OSError):
        return None
    return known.num_rows, sum(known.row_group(group).total_byte_size for group in range(known.num_row_groups))


def read_parquet(path: str | os.PathLike[str], *, as_found: Collection[str] = ()) -> pa.Table:
    """Reads a whole Parquet file; see `iter_parquet`."""
    return pa.Table.from_batches(iter_parquet(path, batch_rows=_WHOLE_ROWS, as_found=as_found))


def iter_arrow(
    path: str | os.PathLike[str], *, batch_rows: int = 16_384, as_found: Collection[str] = ()
) -> Iterator[pa.RecordBatch]:
    """Reads an Arrow file in batches, so that memory stays bounded.

    Args:
        path: an Arrow IPC file (Feather version 2) or stream; the first bytes tell which.
        batch_rows: rows a batch.
        as_found: columns that keep their types, whatever the contract says of their names.

    Yields:
        Batches of all columns; at least one.

    Raises:
        FormatError: not an Arrow file, one that unpacks to too much, or a column of another type than the contract's.
    """
    return rebatch(_conforming(_iter_arrow(path), path, "Arrow", as_found), batch_rows)


def _iter_arrow(path: str | os.PathLike[str]) -> Iterator[pa.RecordBatch]:
    with _opened(path, "Arrow") as file:
        is_file = file.read(len(_ARROW_FILE_MAGIC)) == _ARROW_FILE_MAGIC
        file.seek(0)
        check_arrow(path, is_file=is_file)
        if is_file:
            with pa.ipc.open_file(file) as reader:
                yield pa.RecordBatch.from_pylist([], schema=reader.schema)
                for index in range(reader.num_record_batches):
                    yield reader.get_batch(index)
        else:
            with pa.ipc.open_stream(file) as stream:
                yield pa.RecordBatch.from_pylist([], schema=stream.schema)
                yield from stream


def read_arrow(path: str | os.PathLike[str], *, as_found: Collection[str] = ()) -> pa.Table:
    """Reads a whole Arrow file; see `iter_arrow`."""
    return pa.Table.from_batches(iter_arrow(path, as_found=as_found))


def _conforming(
    batches: Iterator[pa.RecordBatch], path: str | os.PathLike[str], kind: str, as_found: Collection[str]
) -> Iterator[pa.RecordBatch]:
    try:
        for found in map(named_classes, batches):
            _check(found, path)
            batch = with_optional_fields(found)
            names = batch.schema.names
            wanted = schema.COLUMN_TYPES.keys() - {*as_found}
            known = [name for name in names if name in wanted and not _holds_numbers(batch, name)]
            fitting = schema.conform(batch, known, checked=True, narrow=True)
            yield _with_columns(batch, [(fitting if name in known else batch).column(name) for name in names])
    except FormatError:
        raise
    except Error as problem:
        raise FormatError(f"{path}: {problem}") from problem
    except (*_UNREADABLE, UnicodeDecodeError) as problem:  # the latter of names of columns
        raise FormatError(f"{path}: not a usable {kind} file: {problem}") from problem
    except OSError as problem:
        if isinstance(problem, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        raise FormatError(f"{path}: not a usable {kind} file: {problem}") from problem


def _holds_numbers(batch: pa.RecordBatch, name: str) -> bool:
    """Whether a column of labels has numbers, which are classes only for those who know their names."""
    kind = batch.schema.field(name).type
    return name in {schema.LABELS, schema.GOLD_LABELS} and is_lists(kind) and pa.types.is_integer(kind.value_type)


def _check(batch: pa.RecordBatch, path: str | os.PathLike[str]) -> None:
    """Look at all of a batch before anything else does: what is damaged could end the process.

    Raises:
        FormatError: a column is damaged.
    """
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            schema.check_column(column, name)
        except Error as problem:
            raise FormatError(f"{path}: {problem}{_REMEDY}") from problem


class _Sink:
    """A file that lets writes pass once it is closed.

    pyarrow's writer ends its file when it is collected, which on an error or an interrupt is after the file was closed
    and given up; Python would print that this failed.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._end: bytearray | None = None
        self.closed = False  # for pyarrow, which looks before it writes

    def write(self, data: bytes) -> int:
        """Appends data, if there still is where to."""
        if self._end is not None:
            self._end += data
            return len(data)
        return len(data) if self._file.closed else self._file.write(data)

    @contextmanager
    def with_checksum(self) -> Iterator[None]:
        """Appends a file's end, which is written in the block, with a checksum of its index."""
        self._end = bytearray()
        yield
        end, self._end = bytes(self._end), None
        length = int.from_bytes(end[-8:-4], "little")
        self.write(end[: -8 - length] + end_of_file(read_index(end[-8 - length : -8])))

    def flush(self) -> None:
        """Does nothing: whoever has opened the file flushes it."""


class ParquetWriter:
    """Writes batches as row groups of bounded size, each page with a checksum, as the index at the file's end has."""

    def __init__(self, file: BinaryIO, *, row_group_rows: int = 65_536) -> None:
        """Writes to an open binary file.

        Args:
            file: where to.
            row_group_rows: rows a row group: what a reader must hold in memory at once.
        """
        self._file = _Sink(file)
        self._rows = row_group_rows
        self._writer: pq.ParquetWriter | None = None
        self._held: list[pa.RecordBatch] = []

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends a batch; the first one decides the columns."""
        stored = _with_columns(batch, [_storable(column) for column in batch.columns])
        self._held.append(stored.replace_schema_metadata(batch.schema.metadata))
        if sum(held.num_rows for held in self._held) >= self._rows:
            self._flush()

    def _flush(self) -> None:
        import pyarrow.parquet as pq  # heavy, and needed for this format alone

        if self._held:
            if self._writer is None:
                self._writer = pq.ParquetWriter(
                    cast("IO[Any]", self._file), self._held[0].schema, compression="zstd", write_page_checksum=True
                )
            self._writer.write_table(pa.Table.from_batches(self._held), row_group_size=self._rows)
            self._held.clear()

    def close(self) -> None:
        """Writes the last row group and the index.

        Raises:
            FormatError: no batch was written, so that there are no columns.
        """
        self._flush()
        if self._writer is None:
            raise FormatError("a Parquet file needs at least one batch, which may be empty, to know its columns")
        with self._file.with_checksum():
            self._writer.close()


class ArrowWriter:
    """Writes batches to an Arrow IPC file (Feather version 2); dictionaries are written as their values."""

    def __init__(self, file: BinaryIO) -> None:
        """Writes to an open binary file."""
        self._file = file
        self._writer: pa.ipc.RecordBatchFileWriter | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends a batch; the first one decides the columns."""
        batch = _compact(_without_dictionaries(batch))
        if self._writer is None:
            self._writer = pa.ipc.new_file(cast("IOBase", self._file), batch.schema)
        self._writer.write_batch(batch)

    def close(self) -> None:
        """Writes the index.

        Raises:
            FormatError: no batch was written, so that there are no columns.
        """
        if self._writer is None:
            raise FormatError("an Arrow file needs at least one batch, which may be empty, to know its columns")
        self._writer.close()


def _without_dictionaries(batch: pa.RecordBatch) -> pa.RecordBatch:
    """An Arrow file has one dictionary for the whole of a column, while each batch comes with its own."""
    return _with_columns(
        batch, [plain(one) if _has(one.type, pa.types.is_dictionary) else one for one in batch.columns]
    )


def _compact(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A copy without what lies around slices in memory: the file would have it as well."""
    return _with_columns(batch, [pa.concat_arrays([column, column.slice(0, 0)]) for column in batch.columns])


def _storable(column: pa.Array[Any]) -> pa.Array[Any]:
    """A column in a layout that Parquet files have."""
    return plain(column, keep_dictionaries=True) if any(_has(column.type, test) for test in _NOT_STORED) else column


_NOT_STORED = (
    pa.types.is_list_view,
    pa.types.is_large_list_view,
    pa.types.is_string_view,  # of which pyarrow 26 writes no slices
    pa.types.is_run_end_encoded,
)


def _has(kind: pa.DataType, test: Callable[[pa.DataType], bool]) -> bool:
    """Whether a type, or one within it, is such."""
    inner = [field.type for field in kind] if pa.types.is_struct(kind) else [getattr(kind, "value_type", None)]
    return test(kind) or any(_has(one, test) for one in inner if one is not None)


def _with_columns(batch: pa.RecordBatch, columns: list[pa.Array[Any]]) -> pa.RecordBatch:
    """A batch with other columns of the same names, whose fields keep their metadata."""
    fields = [field.with_type(column.type) for field, column in zip(batch.schema, columns, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))


def write_parquet(table: pa.Table, path: str | os.PathLike[str], *, row_group_rows: int = 65_536) -> None:
    """Writes a table to a Parquet file; see `ParquetWriter`."""
    write_rows(table, path, lambda file: ParquetWriter(file, row_group_rows=row_group_rows))


def write_arrow(table: pa.Table, path: str | os.PathLike[str]) -> None:
    """Writes a table to an Arrow IPC file (Feather version 2); see `ArrowWriter`."""
    write_rows(table, path, ArrowWriter)
