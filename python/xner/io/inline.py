"""A sentence a line, each word with its tag behind it: `Anna|B-PER kam|O`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner._support.arrow import joined_strings, pylist
from xner.errors import DataError, Error, FormatError
from xner.io._lines import list_column, rebatch
from xner.io._rows import TextOutput, column, plain_words, write_rows
from xner.io.text import iter_text

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

__all__ = ["InlineWriter", "iter_inline", "read_inline", "write_inline"]

SEPARATOR = "|"


def iter_inline(
    path: str | os.PathLike[str], *, separator: str = SEPARATOR, batch_rows: int = 16_384
) -> Iterator[pa.RecordBatch]:
    """Reads sentences in batches, so that memory stays bounded.

    Args:
        path: UTF-8 text, or the same compressed (`.gz`).
        separator: what stands between a word and its tag; a word may hold it, as the last one counts.
        batch_rows: rows a batch.

    Yields:
        Batches of `id` (the row's number, from 0), `tokens` and `labels`; at least one.

    Raises:
        FormatError: not UTF-8, or a word without a tag; the message names file and line.
        Error: an empty separator.
    """
    if not separator.strip():
        raise Error(f"separator={separator!r}: expected what stands between a word and its tag")
    return rebatch(_iter_inline(path, separator), batch_rows)


def _iter_inline(path: str | os.PathLike[str], separator: str) -> Iterator[pa.RecordBatch]:
    rows = 0
    for batch in iter_text(path):
        lists = batch.column(schema.TOKENS)
        parts = pylist(lists)
        words: list[list[str]] = []
        tags: list[list[str]] = []
        for row, line in enumerate(parts):
            split = [part.rpartition(separator) for part in line]
            for part, (word, _, tag) in zip(line, split, strict=True):
                if not word or not tag:
                    raise FormatError(
                        f"{path}, line {rows + row + 1}: {part!r} is no word with a tag behind {separator!r}"
                    )
            words.append([word for word, *_ in split])
            tags.append([tag for *_, tag in split])
        rows += len(parts)
        columns = [batch.column(schema.ID), pa.array(words, schema.WORDS_TYPE), pa.array(tags, schema.WORDS_TYPE)]
        yield pa.RecordBatch.from_arrays(columns, names=[schema.ID, schema.TOKENS, schema.LABELS])


def read_inline(path: str | os.PathLike[str], *, separator: str = SEPARATOR) -> pa.Table:
    """Reads all sentences of a file; see `iter_inline`."""
    return pa.Table.from_batches(iter_inline(path, separator=separator))


class InlineWriter:
    """Writes the words of each row as a line, each with its label."""

    def __init__(self, file: BinaryIO, *, separator: str = SEPARATOR) -> None:
        """Writes to an open binary file.

        Args:
            file: where to.
            separator: what stands between a word and its tag.
        """
        self._output = TextOutput(file)
        self._separator = separator
        self._rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends a batch's sentences.

        Raises:
            DataError: a word or label that is empty or null or holds a space, a tab or a line end, a label that holds
                the separator, or a row whose words and labels differ in number.
        """
        columns: list[pa.Array[Any]] = []
        lengths: Any = None
        for name in (schema.TOKENS, schema.LABELS):
            found, values = plain_words(column(batch, name), name, self._rows, blanks=" \t")
            if lengths is not None and (lengths != found).any():
                row = int((lengths != found).argmax())
                reason = f"column '{schema.TOKENS}' has {lengths[row]} words in this row"
                raise DataError(self._rows + row, name, f"{found[row]} values", reason)
            lengths = found
            columns.append(values.cast(pa.string()))
        clashing = pc.match_substring(columns[1], self._separator)
        if pc.any(clashing).as_py():
            place = int(pc.index(clashing, pa.scalar(True)).as_py())
            row = self._rows + int((lengths.cumsum() > place).argmax())
            raise DataError(
                row, schema.LABELS, repr(columns[1][place].as_py()), f"a label cannot hold {self._separator!r}"
            )
        lines: Any = pc.binary_join(list_column(lengths, joined_strings(*columns, self._separator)), " ")
        self._output.write("".join(f"{line}\n" for line in lines.to_pylist()))
        self._rows += len(lengths)

    def close(self) -> None:
        """Nothing is held back."""


def write_inline(table: pa.Table, path: str | os.PathLike[str], *, separator: str = SEPARATOR) -> None:
    """Writes one sentence a line, with tags; see `InlineWriter`."""
    write_rows(table, path, lambda file: InlineWriter(file, separator=separator))
