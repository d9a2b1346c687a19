"""The index at the end of a Parquet file, with a checksum, which the format knows for pages alone.

It stands where files name the build that has made them: `parquet-cpp-arrow version 21.0.0 (build xner-crc32-1c291ca3)`.
Readers of others take it for that, and who writes the rows anew puts another name there. A flipped bit of the index
would otherwise be other numbers of rows, other types, or names of columns.

Source: https://github.com/apache/parquet-format (`FileMetaData.created_by`).
"""

from __future__ import annotations

import re
import zlib
from typing import Final

from xner.io._thrift import BINARY, Struct, read_struct, write_struct

__all__ = ["MAGIC", "end_of_file", "is_sound", "read_index"]

MAGIC: Final = b"PAR1"
_CREATED_BY: Final = 6
_SEAL: Final = re.compile(rb" \(build xner-crc32-([0-9a-f]{8})\)")
_NO_SUM: Final = b"0" * 8


def read_index(data: bytes) -> Struct:
    """`FileMetaData` of a file that this process has written, without a checksum."""
    index = read_struct(data)[0]
    if _CREATED_BY in index:
        kind, name = index[_CREATED_BY]
        index[_CREATED_BY] = kind, _SEAL.sub(b"", name)
    return index


def end_of_file(index: Struct) -> bytes:
    """The end of a Parquet file: an index of `read_index` with its checksum, its length, and the format's mark."""
    _, name = index.get(_CREATED_BY, (BINARY, b""))
    named = {**index, _CREATED_BY: (BINARY, name + b" (build xner-crc32-" + _NO_SUM + b")")}
    data = write_struct(dict(sorted(named.items())))
    data = _with_sum(data, b"%08x" % zlib.crc32(data))
    return data + len(data).to_bytes(4, "little") + MAGIC


def is_sound(data: bytes) -> bool:
    """Whether the bytes of an index are those that its checksum is of; true of an index without one."""
    found = _last_sum(data)
    return found is None or int(found[1], 16) == zlib.crc32(_with_sum(data, _NO_SUM))


def _last_sum(data: bytes) -> re.Match[bytes] | None:
    """The checksum in an index; what is like it in front is metadata of someone's."""
    found = list(_SEAL.finditer(data))
    return found[-1] if found else None


def _with_sum(data: bytes, number: bytes) -> bytes:
    found = _last_sum(data)
    return data if found is None else data[: found.start(1)] + number + data[found.end(1) :]
