"""Digests that tell content from all other content."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["file_digest", "pieces_digest", "table_digest"]


_ROWS = 100_000  # at a time: a whole table as one would be there twice


class _Digest:
    """A file that keeps nothing but a digest of what is written to it."""

    closed = False

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def write(self, content: Any) -> int:
        self._hash.update(content)
        return len(content)

    def flush(self) -> None:
        """Nothing is held back."""

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def file_digest(path: Path) -> str:
    """A SHA-256 digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def table_digest(table: pa.Table) -> str:
    """A SHA-256 digest of a table's columns, whatever file they came in and however they are cut into chunks."""
    return pieces_digest([table])


def pieces_digest(pieces: Iterable[pa.Table]) -> str:
    """The digest of a table that comes piece by piece, of which there is one at least."""
    file = _Digest()
    rest: pa.Table | None = None
    with ExitStack() as stack:
        for piece in pieces:
            bare = piece.replace_schema_metadata(None)
            if rest is None:
                writer = stack.enter_context(pa.ipc.new_stream(file, bare.schema))  # type: ignore[arg-type]  # whatever has `write` will do
                rest = bare.schema.empty_table()
            waiting = pa.concat_tables([rest, bare]) if rest.num_rows else bare
            full = waiting.num_rows - waiting.num_rows % _ROWS
            for first in range(0, full, _ROWS):
                writer.write_table(_alone(waiting.slice(first, _ROWS)))
            rest = waiting.slice(full)
        if rest is not None and rest.num_rows:
            writer.write_table(_alone(rest))
    return file.hexdigest()


def _alone(rows: pa.Table) -> pa.Table:
    """Rows in one chunk, in memory that has nothing else, as a slice's would have: all of it is written."""
    chunked: Any = rows.columns
    columns = [pa.concat_arrays([*column.chunks, column.chunk(0).slice(0, 0)]) for column in chunked]
    return pa.Table.from_arrays(columns, schema=rows.schema)
