r"""Plain text: one sentence a line, words separated by blanks; an empty line is a sentence without words.

Only the space and the tab separate words and only `\n` and `\r\n` lines, so that a no-break space or a line
separator inside a word leaves the number of words and of lines as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner.io._lines import list_column, read_blocks, rebatch, row_ids, string_array, words
from xner.io._rows import TextOutput, column, plain_words, write_rows

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

__all__ = ["TextWriter", "iter_text", "read_bitext", "read_lines", "read_text", "write_text"]

_SCHEMA = pa.schema([(schema.ID, pa.string()), (schema.TOKENS, schema.WORDS_TYPE)])


def iter_text(path: str | os.PathLike[str], *, batch_rows: int = 16_384) -> Iterator[pa.RecordBatch]:
    """Reads sentences in batches, so that memory stays bounded.

    Args:
        path: UTF-8 text, or the same compressed (`.gz`); byte order mark and last line end are optional.
        batch_rows: rows a batch.

    Yields:
        Batches of `id` (the row's number, from 0) and `tokens`; at least one.

    Raises:
        FormatError: not UTF-8; the message names file, line and byte.
    """
    return rebatch(_iter_text(path), batch_rows)


def _iter_text(path: str | os.PathLike[str]) -> Iterator[pa.RecordBatch]:
    yield pa.RecordBatch.from_pylist([], schema=_SCHEMA)
    rows = 0
    for block in read_blocks(path):
        found = words(block)
        tokens = list_column(np.diff(found.offsets), string_array(block, found.starts, found.ends))
        yield pa.RecordBatch.from_arrays([row_ids(rows, len(tokens)), tokens], schema=_SCHEMA)
        rows += len(tokens)


def read_text(path: str | os.PathLike[str]) -> pa.Table:
    """Reads all sentences of a file: a table of `id` and `tokens`; see `iter_text`."""
    return pa.Table.from_batches(iter_text(path))


def read_lines(path: str | os.PathLike[str]) -> list[str]:
    """Reads all lines as they are, for texts whose words are not yet told apart; see `iter_text`."""
    return [block.line(line).decode() for block in read_blocks(path) for line in range(len(block.starts))]


def read_bitext(path: str | os.PathLike[str], *, separator: str = "|||") -> pa.Table:
    """Reads sentence pairs, one pair a line, the two sides with a separator between them.

    Args:
        path: UTF-8 text, or the same compressed (`.gz`).
        separator: a word of its own that stands exactly once on each line.

    Returns:
        A table of `id`, `source_tokens` (left) and `tokens` (right).

    Raises:
        FormatError: a line without the separator, or with several; the message names file and line.
    """
    batches = [pa.RecordBatch.from_pylist([], schema=_BITEXT_SCHEMA)]
    rows = 0
    for block in read_blocks(path):
        found = words(block)
        flat = string_array(block, found.starts, found.ends)
        is_separator = pc.equal(flat, pa.scalar(separator)).to_numpy(zero_copy_only=False)
        before = np.concatenate([[0], np.cumsum(is_separator)])
        separators = before[found.offsets[1:]] - before[found.offsets[:-1]]
        if (separators != 1).any():
            line = int(np.argmax(separators != 1))
            expected = f"expected one {separator!r} between two sentences, found {separators[line]}"
            raise block.error(line, f"{expected}: {block.text(line)}")
        places = np.flatnonzero(is_separator)
        # Without the separators themselves, sources and targets take turns.
        lengths = np.stack([places - found.offsets[:-1], found.offsets[1:] - places - 1], axis=1)
        sides = np.repeat(np.arange(lengths.size) % 2, lengths.ravel())
        rest = flat.filter(pa.array(~is_separator))
        source, target = (list_column(lengths[:, side], rest.filter(pa.array(sides == side))) for side in (0, 1))
        batches.append(pa.RecordBatch.from_arrays([row_ids(rows, len(source)), source, target], schema=_BITEXT_SCHEMA))
        rows += len(source)
    return pa.Table.from_batches(batches)


_BITEXT_SCHEMA = pa.schema(
    [
        (schema.ID, pa.string()),
        (schema.SOURCE_TOKENS, schema.WORDS_TYPE),
        (schema.TOKENS, schema.WORDS_TYPE),
    ]
)


class TextWriter:
    """Writes the words of each row as a line."""

    def __init__(self, file: BinaryIO, *, tokens: str = schema.TOKENS) -> None:
        """Writes to an open binary file.

        Args:
            file: where to.
            tokens: name of the list<string> column to write.
        """
        self._output = TextOutput(file)
        self._column = tokens
        self._rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends a batch's sentences.

        Raises:
            DataError: a word is empty or null, or holds a space, a tab or a line end.
        """
        lists = column(batch, self._column)
        lengths, flat = plain_words(lists, self._column, self._rows, blanks=" \t")
        lines: Any = pc.binary_join(list_column(lengths, flat.cast(pa.string())), " ")
        self._output.write("".join(f"{line}\n" for line in lines.to_pylist()))
        self._rows += len(lists)

    def close(self) -> None:
        """Nothing is held back."""


def write_text(table: pa.Table, path: str | os.PathLike[str], *, tokens: str = schema.TOKENS) -> None:
    """Writes one sentence a line; see `TextWriter`."""
    write_rows(table, path, lambda file: TextWriter(file, tokens=tokens))
