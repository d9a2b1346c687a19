"""Digests that tell content from all other content."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["file_digest", "table_digest"]


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
    file = _Digest()
    bare = table.replace_schema_metadata(None)
    with pa.ipc.new_stream(file, bare.schema) as writer:  # type: ignore[arg-type]  # whatever has `write` will do
        for first in range(0, bare.num_rows, _ROWS):
            writer.write_table(bare.slice(first, _ROWS).combine_chunks())
    return file.hexdigest()
