"""Thrift's compact protocol, in which Parquet files have their index: values with all that it takes to write them anew.

Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["LIST", "STRUCT", "Struct", "items", "read_struct", "varint", "write_struct", "zigzag"]

TRUE, FALSE, BYTE, SHORT, INT, LONG, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
_WHOLE: Final = (SHORT, INT, LONG)

Struct = dict[int, tuple[int, Any]]
"""By number of the field, in order: what kind of value it is, and the value; that of lists: kind and values."""


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of bytes with seven bits each, and where it ends.

    Raises:
        IndexError: it is cut off.
    """
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128 or shift > 63:
            return value, at
        shift += 7


def zigzag(data: bytes, at: int) -> tuple[int, int]:
    """Likewise, one that may be below 0."""
    value, at = varint(data, at)
    return value >> 1 ^ -(value & 1), at


def read_struct(data: bytes, at: int = 0) -> tuple[Struct, int]:
    """A struct, and where it ends; of files that this process has written, whose depth is known."""
    found: Struct = {}
    field = 0
    while head := data[at]:
        at += 1
        if head >> 4:
            field += head >> 4
        else:
            field, at = zigzag(data, at)
        kind = head & 15
        value: Any = None
        if kind not in {TRUE, FALSE}:
            value, at = _read_value(data, at, kind)
        found[field] = kind, value
    return found, at + 1


def _read_value(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in _WHOLE:
        return zigzag(data, at)
    if kind == BINARY:
        length, at = varint(data, at)
        return data[at : at + length], at + length
    if kind == STRUCT:
        return read_struct(data, at)
    if kind in {LIST, SET}:
        head = data[at]
        count, at = (head >> 4, at + 1) if head >> 4 < 15 else varint(data, at + 1)
        inner = head & 15
        values = []
        for _ in range(count):
            value, at = _read_value(data, at, inner)
            values.append(value)
        return (inner, values), at
    size = {TRUE: 1, FALSE: 1, BYTE: 1, DOUBLE: 8}[kind]  # no struct of Parquet's has a map
    return data[at : at + size], at + size


def write_struct(fields: Struct) -> bytes:
    """The bytes that `read_struct` reads so."""
    out = bytearray()
    _write_struct(out, fields)
    return bytes(out)


def _write_struct(out: bytearray, fields: Struct) -> None:
    before = 0
    for field, (kind, value) in fields.items():
        step = field - before
        if 0 < step < 16:
            out.append(step << 4 | kind)
        else:
            out.append(kind)
            _write_varint(out, field << 1)
        before = field
        if kind not in {TRUE, FALSE}:
            _write_value(out, kind, value)
    out.append(0)


def _write_value(out: bytearray, kind: int, value: Any) -> None:
    if kind in _WHOLE:
        _write_varint(out, value << 1 ^ value >> 63)
    elif kind == BINARY:
        _write_varint(out, len(value))
        out += value
    elif kind == STRUCT:
        _write_struct(out, value)
    elif kind in {LIST, SET}:
        inner, values = value
        if len(values) < 15:
            out.append(len(values) << 4 | inner)
        else:
            out.append(0xF0 | inner)
            _write_varint(out, len(values))
        for one in values:
            _write_value(out, inner, one)
    else:
        out += value


def _write_varint(out: bytearray, value: int) -> None:
    value &= (1 << 64) - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def items(fields: Struct, field: int) -> list[Any]:
    """The values of a list; none where there is none."""
    found: list[Any] = fields[field][1][1] if field in fields else []
    return found
