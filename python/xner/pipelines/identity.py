"""What tells models and tables apart, for runs and steps that are taken up again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa

__all__ = ["model_key", "table_digest"]


def model_key(model: str) -> list[Any]:
    """Tells a model from another, and a folder or file from what it was before it changed, for a run's fingerprint."""
    path = Path(model)
    files = sorted(path.iterdir()) if path.is_dir() else [path] if path.is_file() else []
    return [model, [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]]


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


def table_digest(table: pa.Table) -> str:
    """Tells the content of a table from that of all others."""
    file = _Digest()
    bare = table.replace_schema_metadata(None)
    with pa.ipc.new_stream(file, bare.schema) as writer:
        writer.write_table(bare.combine_chunks())
    return file.hexdigest()
