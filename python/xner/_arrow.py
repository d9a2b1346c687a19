"""What Arrow arrays need in more than one place."""

from __future__ import annotations

import pyarrow as pa

__all__ = ["one_array"]


def one_array(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """An array of one chunk."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):  # what some versions return for no chunks at all
            array = pa.concat_arrays(array.chunks)
    return array
