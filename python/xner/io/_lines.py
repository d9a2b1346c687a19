r"""Text files as blocks of whole lines, in numpy arrays of byte positions.

What separates lines is `\n` or `\r\n`, what separates words is the space and the tab, and nothing else:
no-break spaces, ideographic spaces, line separators and joiners are ordinary parts of words. Words are copied
from a block into Arrow by their positions, so that no Python object is made for a word.
"""

from __future__ import annotations

import codecs
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import xner._core as _core
from xner._support.progress import logger
from xner.errors import Error, FormatError
from xner.io._commands import filtered, name_beside
from xner.io.atomic import is_packed
from xner.io.unpacking import open_gzip

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "BOM",
    "Block",
    "Fields",
    "list_column",
    "open_bytes",
    "read_blocks",
    "rebatch",
    "row_ids",
    "string_array",
    "tab_fields",
    "words",
]

Positions = npt.NDArray[np.int64]
Path_ = str | os.PathLike[str]

BLOCK_BYTES = 1 << 20  # small enough for the caches: larger blocks are slower
BOM = b"\xef\xbb\xbf"
TAB, NEWLINE, RETURN, SPACE = b"\t\n\r "

_BLANK = np.zeros(256, dtype=np.bool_)
_BLANK[[SPACE, TAB]] = True
_SEPARATOR = _BLANK.copy()
_SEPARATOR[NEWLINE] = True

# The end of a blank line: the lines after it begin a new sentence.
_AFTER_BLANK_LINE = re.compile(rb"\n[ \t]*\r?\n")


@dataclass(frozen=True, slots=True)
class Block:
    r"""Whole, consecutive lines of a file; line `k` is `data[starts[k]:ends[k]]`, without its line end.

    Attributes:
        path: the file, for messages.
        first_line: number (from 1) of the block's first line in the file.
        data: the bytes of the lines, valid UTF-8.
        array: the same bytes as uint8.
        starts: byte position where each line starts.
        ends: byte position after each line, before `\n` or `\r\n`.
    """

    path: str
    first_line: int
    data: bytes
    array: npt.NDArray[np.uint8]
    starts: Positions
    ends: Positions

    def line(self, line: int) -> bytes:
        """A line's bytes."""
        return self.data[self.starts[line] : self.ends[line]]

    def text(self, line: int) -> str:
        """A line's text, shortened for a message."""
        text = self.line(line).decode()
        return repr(text if len(text) <= 80 else text[:77] + "...")

    def only(self, line: int) -> Block:
        """A block of one line of this one."""
        begin, end = int(self.starts[line]), int(self.ends[line])
        edges = np.array([0]), np.array([end - begin])
        return Block(self.path, self.first_line + line, self.data[begin:end], self.array[begin:end], *edges)

    def error(self, line: int, reason: str) -> FormatError:
        """An error about a line of this block."""
        return FormatError(f"{self.path}, line {self.first_line + line}: {reason}")

    def is_blank(self) -> npt.NDArray[np.bool_]:
        """Which lines hold nothing but spaces and tabs."""
        result = cast("npt.NDArray[np.bool_]", self.starts == self.ends)
        # Only a line that begins with a blank can be blank otherwise; there are few.
        for line in np.flatnonzero(_BLANK[self.array[self.starts]]).tolist():
            result[line] = not self.line(line).strip(b" \t")
        return result

    def starts_with(self, prefix: bytes) -> npt.NDArray[np.bool_]:
        """Which lines begin with `prefix`."""
        result = self.ends - self.starts >= len(prefix)
        for offset, byte in enumerate(prefix):
            result[result] = self.array[self.starts[result] + offset] == byte
        return result


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a block's lines; those of line `k` are `offsets[k]` to `offsets[k + 1]`.

    Attributes:
        starts: byte position where each field starts.
        ends: byte position after each field.
        offsets: index of each line's first field, then the number of fields.
    """

    starts: Positions
    ends: Positions
    offsets: Positions


def read_blocks(path: Path_, *, at_blank_lines: bool = False) -> Iterator[Block]:
    """Reads a text file, plain or compressed with gzip (a name in `.gz`), block by block.

    Args:
        path: the file: UTF-8, with or without a byte order mark, the last line end optional.
        at_blank_lines: cut blocks after blank lines only, so that no sentence is in two blocks.

    Yields:
        Blocks of at least one line; none for an empty file.

    Raises:
        FormatError: bytes that are not UTF-8, lines that end in carriage returns alone, or an archive that is broken or
            unpacks to too much.
    """
    name = str(path)
    first_line = 1
    pending = b""
    with open_bytes(path) as file:
        at_start = True
        while True:
            chunk = file.read(max(BLOCK_BYTES, len(pending)))
            if at_start:
                _check_encoding(name, chunk)
                chunk = chunk.removeprefix(BOM)
                at_start = False
            elif not chunk:
                break
            pending += chunk
            cut = _after_last_blank_line(pending) if at_blank_lines else pending.rfind(b"\n") + 1
            if cut:
                block = _block(name, first_line, pending[:cut])
                first_line += len(block.starts)
                pending = pending[cut:]
                yield block
    if pending:
        yield _block(name, first_line, pending)


def open_bytes(path: Path_) -> BinaryIO:
    """A file's bytes, those within for one that is compressed with gzip; see `open_gzip` for errors."""
    return open_gzip(path) if is_packed(path) else Path(path).open("rb")


def _after_last_blank_line(data: bytes) -> int:
    """The position after the last blank line, 0 if there is none; the last bytes are looked at first."""
    for start in (max(0, len(data) - (1 << 16)), 0):
        cut = 0
        for match in _AFTER_BLANK_LINE.finditer(data, start):
            cut = match.end()
        if cut or start == 0:
            return cut
    return 0


_OF_WINDOWS: Final = re.compile(rb"[\x80-\x9f]")
_UNPACK: Final = {
    b"\x1f\x8b": ("gzip", "gunzip", ".gz"),
    b"\x28\xb5\x2f\xfd": ("zstandard", "unzstd", ".zst"),
    b"BZh": ("bzip2", "bunzip2", ".bz2"),
    b"\xfd7zXZ\0": ("xz", "unxz", ".xz"),
}
_ZIP: Final = b"PK\x03\x04"
_TABLES: Final = {b"PAR1": ("Parquet", ".parquet"), b"ARROW1\0\0": ("Arrow", ".arrow")}
_READ_OTHERWISE: Final = {
    b"SQLite format 3\0": ("an SQLite database", "export its table as JSONL"),
    **{
        b"\x80" + bytes([protocol]): ("a Python pickle", "write what it holds as JSONL or Parquet")
        for protocol in range(2, 6)
    },
}


def _check_no_text(path: str, begin: bytes) -> None:
    """That a file does not begin as those of other kinds do.

    Raises:
        FormatError: it does; the message says what can be done.
    """
    for mark, (kind, command, suffix) in _UNPACK.items():
        if begin.startswith(mark) and not _is_text(begin):
            made = path.removesuffix(suffix) if path.endswith(suffix) else name_beside(path, "unpacked")
            remedy = f"`{filtered(path, command, made)}` unpacks it"
            raise FormatError(f"{path}: this is no text but looks like a compressed file ({kind}); {remedy}")
    if begin.startswith(_ZIP) and not _is_text(begin):
        kind = "zip, or of a spreadsheet or a saved model"
        remedy = f"`unzip {shlex.quote(path)}` unpacks the former"
        raise FormatError(f"{path}: this is no text but looks like a compressed file ({kind}); {remedy}")
    for mark, (kind, suffix) in _TABLES.items():
        if begin.startswith(mark) and not _is_text(begin):
            remedy = f"give its format, or a name that ends in {suffix}"
            if path.lower().endswith(suffix):
                remedy = "its name tells its format, and another one was given"
            raise FormatError(f"{path}: this is no text but looks like {kind}; {remedy}")
    for mark, (kind, remedy) in _READ_OTHERWISE.items():
        if begin.startswith(mark) and not _is_text(begin):
            raise FormatError(f"{path}: this is no text but looks like {kind}; {remedy}")


def _is_text(begin: bytes) -> bool:
    """Whether bytes are UTF-8 without control characters that texts do not have."""
    return _CONTROLS.search(begin) is None and _is_utf8(begin)


def _is_utf8(begin: bytes) -> bool:
    """Whether bytes, whose last character may be cut, are UTF-8."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(begin)
    except UnicodeDecodeError:
        return False
    return True


def _wide_encoding(begin: bytes) -> str:
    """The encoding of two or four bytes a letter that a file begins as; empty where it is none of them."""
    for name, marks in (
        ("UTF-32", (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)),
        ("UTF-16", (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)),
    ):
        if begin.startswith(marks):
            return name
    # Of letters of Latin script every second byte is 0 there, or three of four, and no other one.
    size = min(len(begin), 4096)
    for name, width, letter in (("UTF-32LE", 4, 0), ("UTF-32BE", 4, 3), ("UTF-16LE", 2, 0), ("UTF-16BE", 2, 1)):
        zeros = [begin[place:4096:width].count(0) * width for place in range(width)]
        if size >= 8 and zeros.pop(letter) == 0 and min(zeros) * 2 > size:
            return name
    return ""


def _check_encoding(path: str, begin: bytes) -> None:
    """That a file's first bytes are of text in UTF-8, with the usual line ends.

    Raises:
        FormatError: they are not; the message says what turns the file into such.
    """
    _check_no_text(path, begin)
    if wide := _wide_encoding(begin):
        raise FormatError(
            f"{path}: the text is not UTF-8 but probably {wide}; {_of_encoding(path, wide)} makes it such"
        )
    if len(_CONTROLS.findall(begin, 0, 4096)) * 50 > min(len(begin), 4096) and not _is_utf8(begin):
        raise FormatError(f"{path}: this is no text but a binary file, or a part of one; `file` may tell of which kind")
    is_cut = len(begin) == BLOCK_BYTES < 4096  # a line end may follow
    if begin.count(b"\r") > 1 and b"\n" not in begin and len(begin) > 9 and not is_cut:
        remedy = f"`{filtered(path, _TR, name_beside(path, 'lines'))}` makes them usual ones"
        raise FormatError(f"{path}: lines end in carriage returns alone; {remedy}")


_TR: Final = r"tr '\r' '\n'"
_SED: Final = r"sed 's/\r*$//'"


def _of_encoding(path: str, encoding: str) -> str:
    """The command that makes UTF-8 of a file in another encoding."""
    return f"`{filtered(path, f'iconv -f {encoding} -t UTF-8', name_beside(path, 'utf8'))}`"


def _look_for_marks(path: str, first_line: int, data: bytes) -> None:
    """Say once of a file where a byte order mark begins a line, or where UTF-8 was taken for another encoding."""
    if path in _said:
        return
    place = 0 if data.startswith(BOM) or BOM[:1] not in data else data.find(b"\n" + BOM) + 1
    reason = "begins with a byte order mark, as where files are put together; it is read as part of the word"
    if not data.startswith(BOM) and not place:
        match = _MISREAD.search(data) if b"\xc2" in data else None
        if match is None:
            return
        place = data.rfind(b"\n", 0, match.start()) + 1
        reason = "looks like UTF-8 that was taken for Latin-1 and stored anew"
    _said.add(path)
    text = data[place:].partition(b"\n")[0][:120].decode(errors="ignore")
    logger.warning("%s, line %d: %r %s", path, first_line + data.count(b"\n", 0, place), text, reason)


def _say_nul(path: str, first_line: int, data: bytes) -> None:
    """Say once of a file that it has a NUL character, as binary files do, or JSON's way to write it."""
    if path not in _said:
        _said.add(path)
        line = first_line + data.count(b"\n", 0, max(data.find(b"\0"), data.find(b"\\u0000")))
        logger.warning("%s, line %d has a NUL character, which is read as part of a word", path, line)


_CONTROLS = re.compile(rb"[\0-\x08\x0e-\x1a]")
# Letters beyond ASCII in UTF-8, each byte of which became a letter.
_MISREAD = re.compile(rb"\xc3[\x82\x83]\xc2[\x80-\xbf]")
_said: set[str] = set()


def _look(path: str, first_line: int, data: bytes) -> None:
    """Check that lines are UTF-8 with the usual line ends, and say what is odd of them.

    Raises:
        FormatError: they are not; the message names file, line and byte.
    """
    # One byte is found many times as fast as several.
    if b"\r" in data and b"\r\r\n" in data:
        line = first_line + data.count(b"\n", 0, data.find(b"\r\r\n"))
        raise FormatError(
            f"{path}, line {line}: the line ends in two carriage returns, as where line ends were converted twice; "
            f"`{filtered(path, _SED, name_beside(path, 'lines'))}` makes them usual ones"
        )
    if b"\0" in data or (b"\\" in data and b"\\u0000" in data):
        _say_nul(path, first_line, data)
    if not data.isascii():
        _look_for_marks(path, first_line, data)
        try:
            if not _core.is_utf8(data):
                data.decode()  # which says where
        except UnicodeDecodeError as problem:
            line = first_line + data.count(b"\n", 0, problem.start)
            byte = problem.start - (data.rfind(b"\n", 0, problem.start) + 1)
            # Latin-1 has control characters there, Windows quotation marks.
            is_windows = _OF_WINDOWS.search(data) is not None
            narrow, title = ("cp1252", "Windows-1252") if is_windows else ("latin1", "Latin-1")
            raise FormatError(
                f"{path}, line {line}: byte {byte + 1} of the line, 0x{data[problem.start]:02x}, "
                f"is not UTF-8 ({problem.reason}); {_of_encoding(path, narrow)} makes {title} such"
            ) from problem


def _block(path: str, first_line: int, data: bytes) -> Block:
    _look(path, first_line, data)
    array = np.frombuffer(data, dtype=np.uint8)
    newlines = np.flatnonzero(array == NEWLINE)
    starts = np.concatenate([[0], newlines + 1])
    ends = np.concatenate([newlines, [len(data)]])
    if data.endswith(b"\n"):
        starts, ends = starts[:-1], ends[:-1]
    ends = ends - ((ends > starts) & (array[ends - 1] == RETURN))
    return Block(path, first_line, data, array, starts, ends)


def words(block: Block, *, leading_blank_is_empty_word: bool = False) -> Fields:
    """Splits each line at runs of spaces and tabs.

    Args:
        block: the lines.
        leading_blank_is_empty_word: a line that begins with a blank and has words has an empty one before
            them.
    """
    # A line's end separates too. After a last line without a newline there is no byte, hence the place more.
    separator = np.append(_SEPARATOR[block.array], True)
    separator[block.ends] = True
    is_start = ~separator
    is_start[1:] &= separator[:-1]
    is_end = separator.copy()
    is_end[1:] &= ~separator[:-1]
    is_end[0] = False
    fields = _fields(block, is_start, is_end)
    if leading_blank_is_empty_word:
        leading = _BLANK[block.array[block.starts]] & (np.diff(fields.offsets) > 0)
        if leading.any():
            is_start[block.starts[leading]] = True
            is_end[block.starts[leading]] = True
            fields = _fields(block, is_start, is_end)
    return fields


def tab_fields(block: Block) -> Fields:
    """Splits each line at every tab: fields can be empty, and a line without a tab is one field."""
    return Fields(*_core.split_at_tabs(block.data, block.starts, block.ends))


def _fields(block: Block, is_start: npt.NDArray[np.bool_], is_end: npt.NDArray[np.bool_]) -> Fields:
    starts = np.flatnonzero(is_start)
    offsets = np.append(np.searchsorted(starts, block.starts), len(starts))
    return Fields(starts, np.flatnonzero(is_end), offsets)


def string_array(block: Block, starts: Positions, ends: Positions) -> pa.StringArray:
    """Copies the fields `[starts[k], ends[k])` into an Arrow array."""
    offsets, data = _core.copy_parts(block.data, starts, ends)
    return pa.StringArray.from_buffers(len(starts), pa.py_buffer(offsets.data), pa.py_buffer(data.data))


def list_column(lengths: Positions, values: pa.Array[Any]) -> pa.ListArray[Any]:
    """A list array from the length of each list and the values of all."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def row_ids(first: int, count: int) -> pa.Array[Any]:
    """The ids of rows that have none of their own: their numbers, from 0."""
    return pa.array(np.arange(first, first + count), pa.int64()).cast(pa.string())


def rebatch(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Cuts and joins batches of one schema, at least one, so that all but the last have `rows` rows.

    Where there are no rows at all, one empty batch is the result: it carries the schema.
    """
    if rows < 1:
        raise Error(f"batch_rows must be at least 1, not {rows}")
    held: pa.Table | None = None
    empty = True
    for batch in batches:
        table = pa.Table.from_batches([batch])
        held = pa.concat_tables([held, table]) if held is not None and held.num_rows else table
        while held.num_rows >= rows:
            yield _one_batch(held.slice(0, rows))
            held = held.slice(rows)
            empty = False
    if held is not None and (held.num_rows or empty):
        yield _one_batch(held)


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    columns: Any = [one.chunk(0) if one.num_chunks == 1 else one.combine_chunks() for one in table.columns]
    return pa.RecordBatch.from_arrays(columns, schema=table.schema)
