"""Files put together from files of the same columns, byte for byte as one writer would have made them.

Source: https://github.com/apache/parquet-format (`FileMetaData`).
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, BinaryIO, Final

from xner.errors import Error
from xner.io._parquet_index import MAGIC, end_of_file, read_index
from xner.io._thrift import LIST, STRUCT, Struct, items

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["join_bytes", "join_parquet"]

_PIECE: Final = 1 << 20
# Fields of Parquet's structs.
_ROWS, _GROUPS = 3, 4
_COLUMNS, _GROUP_START, _ORDINAL = 1, 5, 7
_CHUNK_START, _METADATA, _OFFSET_INDEX, _COLUMN_INDEX = 2, 3, 4, 6
_STARTS: Final = (9, 10, 11, 14)  # of data, index and dictionary pages, and of a Bloom filter


def join_bytes(parts: Sequence[Path], file: BinaryIO) -> None:
    """Write files one after the other."""
    for part in parts:
        with part.open("rb") as content:
            shutil.copyfileobj(content, file, _PIECE)


def join_parquet(parts: Sequence[Path], file: BinaryIO) -> None:
    """Write the row groups of Parquet files, which are copied as they are, as one file.

    Args:
        parts: files that `ParquetWriter` has made, each with at least as many rows as a row group but the last.
        file: where to.

    Raises:
        Error: files with different columns.
    """
    file.write(MAGIC)
    position = len(MAGIC)
    whole: Struct | None = None
    rows = 0
    groups: list[Struct] = []
    for part in parts:
        with part.open("rb") as content:
            index, start = _index_of(content)
            moved_by = position - len(MAGIC)
            for group in items(index, _GROUPS):
                _move_group(group, moved_by, len(groups))
                groups.append(group)
            rows += index[_ROWS][1]
            if whole is None:
                whole = index
            elif _but_rows(whole) != _but_rows(index):
                raise Error(f"'{part}' has other columns than the parts before it")
            content.seek(len(MAGIC))
            left = start - len(MAGIC)
            while left and (piece := content.read(min(left, _PIECE))):
                file.write(piece)
                left -= len(piece)
                position += len(piece)
    if whole is None:
        raise Error("expected at least one file to put together")
    whole[_ROWS] = whole[_ROWS][0], rows
    whole[_GROUPS] = LIST, (STRUCT, groups)
    file.write(end_of_file(whole))


def _index_of(file: BinaryIO) -> tuple[Struct, int]:
    """A file's `FileMetaData`, and where it begins."""
    end = file.seek(-8, 2)
    length = int.from_bytes(file.read(4), "little")
    file.seek(end - length)
    return read_index(file.read(length)), end - length


def _but_rows(index: Struct) -> Struct:
    return {field: value for field, value in index.items() if field not in {_ROWS, _GROUPS}}


def _move_group(group: Struct, by: int, ordinal: int) -> None:
    """Have a row group begin elsewhere."""
    _move(group, _GROUP_START, by)
    if _ORDINAL in group:
        group[_ORDINAL] = group[_ORDINAL][0], ordinal
    for chunk in items(group, _COLUMNS):
        for field in (_CHUNK_START, _OFFSET_INDEX, _COLUMN_INDEX):
            _move(chunk, field, by)
        for field in _STARTS:
            _move(chunk[_METADATA][1], field, by)


def _move(fields: Struct, field: int, by: int) -> None:
    if field in fields and fields[field][1]:
        fields[field] = fields[field][0], fields[field][1] + by
