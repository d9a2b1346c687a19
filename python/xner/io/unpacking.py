"""How much compressed files may unpack to. What is far larger than its file is made to fill memory, or is no text.

A file may unpack to 64 MiB, or to 100 times its size where that is more; `XNER_MAX_RATIO` is another ratio. That of
gzip is seen as it is read, those of Parquet and Arrow before any of it is unpacked: of the sizes that pages and
buffers have in front of them, which are those that their readers make room for.

Source: https://github.com/apache/parquet-format (`PageHeader`, in Thrift's compact protocol) and
https://arrow.apache.org/docs/format/Columnar.html (`Message.fbs`, `File.fbs`, in flatbuffers).
"""

from __future__ import annotations

import gzip
import io
import os
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from xner.errors import FormatError, OptionError
from xner.io._parquet_index import is_sound
from xner.io._thrift import varint, zigzag

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RATIO", "check_arrow", "check_parquet", "check_zlib", "open_gzip", "ratio"]

RATIO: Final = 100.0
"""Times its size that a file may unpack to; the environment variable `XNER_MAX_RATIO` raises it."""

_VARIABLE: Final = "XNER_MAX_RATIO"
_FREE: Final = 64 << 20  # bytes that any file may unpack to
_PIECE: Final = 1 << 20
_HEADER_BYTES: Final = (1 << 12, 1 << 16, 1 << 24)  # of a page: nearly all, most, the most that there may be
_DEEPEST: Final = 12  # structs and lists within others, of a file's index or a page's header
_CODECS: Final = 8  # which Parquet knows, by number
_DAMAGED: Final = "the file is damaged: fetch or write it anew"

Path_ = str | os.PathLike[str]


def ratio() -> float:
    """The ratio that files are held to.

    Raises:
        OptionError: `XNER_MAX_RATIO` is no number of at least 1.
    """
    text = os.environ.get(_VARIABLE)
    if text is None:
        return RATIO
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value >= 1:
        raise OptionError(f"{_VARIABLE}={text!r}: expected a number of at least 1")
    return value


class _DamagedError(Exception):
    """What is wrong with a page's header."""


class _Bound:
    """How far a file may be unpacked."""

    def __init__(self, path: Path_) -> None:
        self._path = path
        self._size = Path(path).stat().st_size
        self._ratio = ratio()
        self._most = max(float(_FREE), self._ratio * self._size)

    def check(self, unpacked: int) -> None:
        """Refuse what is more than the file may unpack to.

        Raises:
            FormatError: it is.
        """
        if unpacked > self._most:
            raise FormatError(
                f"{self._path}: {self._size} bytes unpack to {unpacked} or more, {unpacked / max(self._size, 1):.0f} "
                f"times as many, and {self._ratio:g} times are allowed; if the file is to be trusted, the environment "
                f"variable {_VARIABLE} allows more"
            )


def _begins_packed(path: Path_) -> bool:
    with Path(path).open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


class _Unpacked(io.RawIOBase):
    """The content of a gzip archive, as far as it may go."""

    def __init__(self, path: Path_) -> None:
        self._bound, self._path, self._count = _Bound(path), path, 0
        self._file = gzip.open(path, "rb")  # noqa: SIM115  # closed by `close`

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # whatever has a buffer
        try:
            data = self._file.read1(min(len(view), _PIECE))
        except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
            if isinstance(problem, gzip.BadGzipFile) and not self._count and not _begins_packed(self._path):
                raise FormatError(
                    f"{self._path}: not a whole gzip archive: it is not compressed; without .gz in its name, "
                    "it is read as it is"
                ) from None
            raise FormatError(f"{self._path}: not a whole gzip archive: {problem}") from problem
        self._count += len(data)
        self._bound.check(self._count)
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def open_gzip(path: Path_) -> BinaryIO:
    """What a gzip archive holds. Reading raises a `FormatError` where it is damaged, or unpacks to too much."""
    return cast("BinaryIO", io.BufferedReader(_Unpacked(path), _PIECE))


def check_zlib(path: Path_) -> None:
    """Unpack a file that is one zlib stream, without keeping what comes out. What is none passes.

    Raises:
        FormatError: it unpacks to too much.
    """
    bound, count, stream = _Bound(path), 0, zlib.decompressobj()
    with Path(path).open("rb") as file:
        while piece := file.read(_PIECE):
            while piece and not stream.eof:
                try:
                    count += len(stream.decompress(piece, _PIECE))
                except zlib.error:
                    return
                bound.check(count)
                piece = stream.unconsumed_tail


def check_parquet(path: Path_) -> None:
    """Look at how much the pages of a Parquet file unpack to.

    The file's index is read here and not by pyarrow, which ends the process where one names a compression that there is
    not.

    Raises:
        FormatError: too much, or pages are not where the file's index says.
    """
    bound, total = _Bound(path), 0
    with Path(path).open("rb") as file:
        for column in _columns_of_parquet(file, path):
            codec, values, size, start = (_number(column, field) for field in (4, 5, 7, 9))
            if not 0 <= codec < _CODECS:
                raise FormatError(f"{path}: not a usable Parquet file: there is no compression {codec}; {_DAMAGED}")
            if codec == 0 or values == 0:  # of which no page is read
                continue
            dictionary = _number(column, 11)
            start = min(start, dictionary) if dictionary > 0 else start
            for unpacked in _page_sizes(file, path, start, start + size):
                total += unpacked
                bound.check(total)


def _columns_of_parquet(file: BinaryIO, path: Path_) -> Iterator[dict[int, Any]]:
    """What a file's index says of each column of each group of rows: `ColumnMetaData` of the format's description."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 8))
    length = int.from_bytes(file.read(4), "little")
    file.seek(max(0, size - 8 - length))
    try:
        data = file.read(length)
        if not is_sound(data):
            raise _DamagedError
        index, _ = _thrift_struct(data, 0)
        for group in index.get(4, ()):
            for column in group[1]:
                if not isinstance(column[3], dict):
                    raise _DamagedError
                yield column[3]
    except (IndexError, KeyError, TypeError, _DamagedError):
        raise FormatError(f"{path}: not a usable Parquet file: its index is damaged; {_DAMAGED}") from None


def _number(fields: dict[int, Any], field: int) -> int:
    """A whole number of a struct; -1 where there is none."""
    value = fields.get(field)
    return value if isinstance(value, int) else -1


def _page_sizes(file: BinaryIO, path: Path_, start: int, end: int) -> Iterator[int]:
    """What each page between two places of a file unpacks to, as its header says."""
    while start < end:
        for most in _HEADER_BYTES:
            file.seek(start)
            data = file.read(most)
            try:
                fields, length = _thrift_struct(data, 0)
                break
            except IndexError:
                if len(data) < most:
                    raise _damaged(path, start, "is cut off") from None
            except _DamagedError as problem:
                raise _damaged(path, start, str(problem)) from None
        else:
            raise _damaged(path, start, "is too long")
        unpacked, packed = _number(fields, 2), _number(fields, 3)
        if unpacked < 0 or packed < 0:
            raise _damaged(path, start, "has no size")
        yield unpacked
        start += length + packed


def _damaged(path: Path_, start: int, problem: str) -> FormatError:
    return FormatError(f"{path}: not a usable Parquet file: the page at byte {start} {problem}; {_DAMAGED}")


def _thrift_struct(data: bytes, at: int, depth: int = 0) -> tuple[dict[int, Any], int]:
    """A struct in Thrift's compact protocol, whole numbers, structs and lists by field, and where it ends."""
    found: dict[int, Any] = {}
    field = 0
    while head := data[at]:
        at += 1
        if head >> 4:
            field += head >> 4
        else:
            field, at = zigzag(data, at)
        found[field], at = _thrift_value(data, at, head & 15, depth, in_list=False)
    return found, at + 1


def _thrift_value(data: bytes, at: int, kind: int, depth: int, *, in_list: bool) -> tuple[Any, int]:
    """A value in Thrift's compact protocol, None for what is neither number nor struct nor list, and where it ends."""
    if kind in {1, 2}:  # truth values, which are in the field's own byte
        return None, at + in_list
    if kind in {3, 7}:
        return None, at + (1 if kind == 3 else 8)
    if kind in {4, 5, 6}:
        return zigzag(data, at)
    if kind == 8:
        length, at = varint(data, at)
        return None, at + length
    if kind == 12 and depth < _DEEPEST:
        return _thrift_struct(data, at, depth + 1)
    if kind in {9, 10} and depth < _DEEPEST:
        head = data[at]
        count, at = (head >> 4, at + 1) if head >> 4 < 15 else varint(data, at + 1)
        values = []
        for _ in range(count):
            value, at = _thrift_value(data, at, head & 15, depth + 1, in_list=True)
            values.append(value)
        return values, at
    raise _DamagedError("has a field of a kind that none has")


def check_arrow(path: Path_, *, is_file: bool) -> None:
    """Look at how much the batches of an Arrow file unpack to.

    Args:
        path: the file.
        is_file: whether it has an index at its end, or is a stream.

    Raises:
        FormatError: too much, or its messages are damaged.
    """
    bound, total = _Bound(path), 0
    try:
        with Path(path).open("rb") as file:
            places = _blocks(file) if is_file else _messages(file)
            for metadata, body in places:
                for size in _buffer_sizes(file, metadata, body):
                    total += size
                    bound.check(total)
    except (struct.error, OverflowError) as problem:
        raise FormatError(f"{path}: not a usable Arrow file: a message is cut off; {_DAMAGED}") from problem


class _Table:
    """A table of flatbuffers."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self._at = data, at
        self._fields = at - self._int("<i", at)
        self._length = self._int("<H", self._fields)

    @classmethod
    def root(cls, data: bytes) -> _Table:
        return cls(data, struct.unpack_from("<I", data, 0)[0])

    def number(self, field: int, form: str) -> int:
        """A number; 0 where there is none."""
        place = self._place(field)
        return self._int(form, place) if place else 0

    def table(self, field: int) -> _Table | None:
        place = self._place(field)
        return _Table(self.data, place + self._int("<I", place)) if place else None

    def structs(self, field: int, form: str) -> Iterator[tuple[int, ...]]:
        """The structs of a vector."""
        place = self._place(field)
        if place:
            start = place + self._int("<I", place)
            for number in range(self._int("<I", start)):
                yield _unpack(form, self.data, start + 4 + number * struct.calcsize(form))

    def _place(self, field: int) -> int:
        """Where a field is; 0 where it is not."""
        entry = 4 + 2 * field
        offset = self._int("<H", self._fields + entry) if entry < self._length else 0
        return self._at + offset if offset else 0

    def _int(self, form: str, at: int) -> int:
        return _unpack(form, self.data, at)[0]


def _unpack(form: str, data: bytes, at: int) -> tuple[int, ...]:
    if at < 0:  # which counts from the end
        raise struct.error("before the beginning")
    return struct.unpack_from(form, data, at)


def _messages(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """The messages of a stream: the metadata of each, and where its body is."""
    at = 0
    while found := _message(file, at):
        metadata, body = found
        yield found
        at = body + max(0, _Table.root(metadata).number(3, "<q"))


def _blocks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """The messages that the index at a file's end names, likewise."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 10))
    length = struct.unpack_from("<i", file.read(4))[0]
    if not 0 < length <= end - 10:
        return  # which its reader says
    file.seek(end - 10 - length)
    index = _Table.root(file.read(length))
    for field in (2, 3):  # dictionaries, batches
        for at, _, _, _ in index.structs(field, "<qiiq"):
            if (found := _message(file, at)) is not None:
                yield found


def _message(file: BinaryIO, at: int) -> tuple[bytes, int] | None:
    """A message's metadata, and where its body is; None after the last one."""
    file.seek(at)
    head = file.read(8)
    if len(head) < 4:
        return None
    mark, length, start = struct.unpack_from("<I", head)[0], 0, at + 4
    if mark != 0xFFFFFFFF:
        length = mark
    elif len(head) == 8:
        length, start = struct.unpack_from("<I", head, 4)[0], at + 8
    if not length:
        return None
    file.seek(start)
    if length > os.fstat(file.fileno()).st_size - start:
        raise struct.error("cut off")
    return file.read(length), start + length


def _buffer_sizes(file: BinaryIO, metadata: bytes, body: int) -> Iterator[int]:
    """What each buffer of a compressed batch unpacks to, as it says at its beginning."""
    message = _Table.root(metadata)
    kind, batch = message.number(1, "<B"), message.table(2)
    if kind == 2 and batch is not None:  # a dictionary, within which is a batch
        batch = batch.table(1)
    if kind not in {2, 3} or batch is None or batch.table(3) is None:
        return
    for offset, length in batch.structs(2, "<qq"):
        if length >= 8:
            file.seek(body + offset)
            size = struct.unpack_from("<q", file.read(8))[0]
            yield max(size, 0)  # -1: is not compressed
