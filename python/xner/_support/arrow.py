"""What Arrow arrays need in more than one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["as_arrow", "frequencies", "is_lists", "joined_lists", "list_lengths", "one_array", "with_columns"]

Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)


def one_array(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """An array of one chunk."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):  # what some versions return for no chunks at all
            array = pa.concat_arrays(array.chunks)
    return array


def as_arrow(values: object) -> pa.Array | None:
    """One array of what is one, chunked or not, or hands itself over as Arrow does; None of anything else.

    Of a list within a column (`pa.ListScalar`) these are its elements.
    """
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return one_array(values)
    if isinstance(values, pa.ListScalar):
        return values.values
    if hasattr(values, "__arrow_c_stream__"):
        return one_array(pa.chunked_array(values))
    return pa.array(values) if hasattr(values, "__arrow_c_array__") else None


def is_lists(kind: pa.DataType) -> bool:
    """Whether a column of this type has lists, whatever their layout."""
    tests = ("is_list", "is_large_list", "is_fixed_size_list", "is_list_view", "is_large_list_view")
    return any(getattr(pa.types, test)(kind) for test in tests)


def frequencies(values: pa.Array | pa.ChunkedArray) -> dict[str, int]:
    """How often each string other than null occurs, the most frequent first, then the one that occurs first."""
    found = [item for item in pc.value_counts(values.cast(pa.string())).to_pylist() if item["values"] is not None]
    return {item["values"]: item["counts"] for item in sorted(found, key=lambda item: -item["counts"])}


def list_lengths(lists: pa.Array) -> npt.NDArray[np.int64]:
    """The number of elements of each list; missing ones have none."""
    lengths = pc.list_value_length(lists).fill_null(0)
    return np.asarray(lengths.to_numpy(zero_copy_only=False), dtype=np.int64)


def joined_lists(first: pa.Array, second: pa.Array) -> pa.Array:
    """Row by row, the elements of two columns of lists of the same type of values."""
    lengths = list_lengths(first), list_lengths(second)
    rows = np.concatenate([np.repeat(np.arange(len(of_one)), of_one) for of_one in lengths])
    order = pa.array(np.argsort(rows, kind="stable"))
    offsets = np.concatenate([[0], np.cumsum(lengths[0] + lengths[1])])
    values = pa.concat_arrays([first.flatten(), second.flatten()]).take(order)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def with_columns(rows: Rows, columns: Mapping[str | pa.Field, pa.Array | pa.ChunkedArray]) -> Rows:
    """A record batch or table with columns added, or replaced where they are, by name or by field."""
    for field, column in columns.items():
        index = rows.schema.get_field_index(field if isinstance(field, str) else field.name)
        rows = rows.append_column(field, column) if index < 0 else rows.set_column(index, field, column)
    return rows
