"""What several commands say at their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["counted"]


def counted(column: pa.ChunkedArray) -> Mapping[str, int]:
    """How often each value of a column of strings occurs, the most frequent first."""
    counts = pc.value_counts(column.cast(pa.string()).combine_chunks()).to_pylist()
    return {item["values"]: item["counts"] for item in sorted(counts, key=lambda item: -item["counts"])}
