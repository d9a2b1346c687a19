"""What every writer of a text format needs: columns by name, and checks that name the row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner._layouts import plain
from xner._support.arrow import is_lists
from xner._support.frames import to_table
from xner._support.sentences import to_arrow, without_dictionary
from xner.errors import DataError, Error
from xner.io._lines import BOM
from xner.io.atomic import replacing

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from xner._support.frames import TableLike

__all__ = ["RowWriter", "TextOutput", "column", "ids", "list_lengths", "plain_words", "write_rows"]


class RowWriter(Protocol):
    """Writes batches of rows to one file."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends a batch's rows."""

    def close(self) -> None:
        """Writes what is still held back; the file itself stays open."""


def write_rows(table: TableLike, path: str | os.PathLike[str], make_writer: Callable[[BinaryIO], RowWriter]) -> None:
    """Writes a table of any kind aside and moves it into place; one without rows gives a file without rows.

    Raises:
        Error: no table, or what `make_writer` and its writer raise.
    """
    table = to_table(table)
    with replacing(path) as file:
        writer = make_writer(file)
        for batch in table.to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]:
            writer.write(batch)
        writer.close()


class TextOutput:
    """A UTF-8 file whose content may start with a byte order mark, although readers drop one there."""

    def __init__(self, file: BinaryIO, *, at_start: bool = True) -> None:
        self._file = file
        self._at_start = at_start

    def write(self, text: str) -> None:
        """Appends a text."""
        data = text.encode()
        if self._at_start and data:
            self._at_start = False
            if data.startswith(BOM):
                self._file.write(BOM)
        self._file.write(data)


def column(batch: pa.RecordBatch, name: str) -> pa.Array[Any]:
    """A column by name in a plain layout; an error that lists the columns there are if it is missing."""
    index = batch.schema.get_field_index(name)
    if index < 0:
        raise Error(f"there is no column '{name}'; the columns are {', '.join(batch.schema.names) or 'none'}")
    schema.check_column(batch.column(index), name)
    return plain(batch.column(index), keep_dictionaries=True)


def ids(batch: pa.RecordBatch) -> pa.Array[Any] | None:
    """The column `id` as strings; None where there is none."""
    if batch.schema.get_field_index(schema.ID) < 0:
        return None
    return schema.conform_column(column(batch, schema.ID), schema.ID, checked=True).cast(pa.string())


def list_lengths(lists: pa.Array[Any], name: str, first_row: int) -> npt.NDArray[np.int64]:
    """The number of elements of each list.

    Args:
        lists: a list column.
        name: its name, for messages.
        first_row: number of its first row in the file.

    Raises:
        DataError: a row is null, which no text format can say.
        Error: not a column of lists.
    """
    if not is_lists(lists.type):
        raise Error(f"column '{name}' must hold lists, not {lists.type}")
    if lists.null_count:
        row = _first(pc.is_null(lists))
        raise DataError(first_row + row, name, "null", "this format has no way to write a missing list")
    return np.asarray(pc.list_value_length(lists).to_numpy(zero_copy_only=False), dtype=np.int64)


def plain_words(
    lists: pa.Array[Any], name: str, first_row: int, *, blanks: str
) -> tuple[npt.NDArray[np.int64], pa.Array[Any]]:
    """Lengths and flat values of a list<string> column whose strings can stand in a line of text.

    Args:
        lists: list<string> column.
        name: its name, for messages.
        first_row: number of its first row in the file.
        blanks: the characters, of space and tab, that separate words in this format.

    Raises:
        DataError: an empty or missing string, or one with a separator or a line end in it.
        Error: not a column of lists of strings.
    """
    lengths = list_lengths(lists, name, first_row)
    try:
        flat = pc.list_flatten(without_dictionary(to_arrow(lists, name)))
    except DataError as error:
        raise Error(f"column '{name}' must hold lists of strings, not {lists.type}") from error
    forbidden = "\n\r" + blanks
    checks = (
        (pc.is_null(flat), "a missing word cannot be written"),
        (pc.equal(flat, pa.scalar("")), "an empty word cannot be written"),
        (
            pc.match_substring_regex(flat, f"[{forbidden}]"),
            f"a word in this format cannot hold {_SEPARATORS[blanks]} or a line end",
        ),
    )
    for wrong, reason in checks:
        if pc.any(wrong).as_py():
            place = _first(wrong)
            row = int(np.searchsorted(np.cumsum(lengths), place, side="right"))
            value = flat[place].as_py()
            raise DataError(first_row + row, name, "null" if value is None else repr(value), reason)
    return lengths, flat


_SEPARATORS = {"\t": "a tab", " \t": "a space, a tab"}


def _first(wrong: pa.Array[Any]) -> int:
    return int(pc.index(wrong, True).as_py())
