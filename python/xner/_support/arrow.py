"""What Arrow arrays need in more than one place."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from xner._layouts import check_buffers, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import xner._core as _core

__all__ = [
    "as_arrow",
    "by_frequency",
    "chunked",
    "flattened",
    "frequencies",
    "from_core",
    "is_lists",
    "is_of",
    "joined_lists",
    "joined_strings",
    "list_lengths",
    "occurrences",
    "one_array",
    "pylist",
    "spread_lists",
    "to_array",
    "with_columns",
]

Rows = TypeVar("Rows")
"""What stages take and give: a record batch or table, or another of `xner._support.frames.TableLike`."""
ArrowRows = TypeVar("ArrowRows", pa.RecordBatch, pa.Table)
FieldT = TypeVar("FieldT", bound="str | pa.Field[Any]")


def one_array(array: pa.Array[Any] | pa.ChunkedArray[Any]) -> pa.Array[Any]:
    """An array of one chunk."""
    if isinstance(array, pa.ChunkedArray):
        if not len(array):  # of nothing, polars hands over views that begin behind the end of their buffer
            empty: pa.Array[Any] = pa.array([], array.type)
            return empty
        array = array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):  # what some versions return for no chunks at all
            array = pa.concat_arrays(array.chunks)
    return array


# The next six say of pyarrow's own what its stubs do not.


def pylist(column: pa.Array[Any] | pa.ChunkedArray[Any]) -> list[Any]:
    """`to_pylist` of a column whose values callers know: type checkers do not ask for None."""
    return column.to_pylist()


def flattened(lists: pa.Array[Any]) -> pa.Array[Any]:
    """`flatten` of an array of lists of any layout."""
    flat: pa.Array[Any] = cast("pa.ListArray[Any]", lists).flatten()
    return flat


def to_array(values: Any) -> pa.Array[Any]:
    """`pyarrow.array` of what is no list: of NumPy's, whose type the stubs mistake, or of what hands itself over."""
    made: pa.Array[Any] = pa.array(values)
    return made


def from_core(lists: _core.ExportedArray) -> pa.ListArray[Any]:
    """`pyarrow.array` of lists that the core made, which have their type."""
    made: pa.ListArray[Any] = pa.array(lists)  # type: ignore[call-overload]  # the stubs want the type as well
    return made


def chunked(arrays: Iterable[pa.Array[Any]], type: pa.DataType) -> pa.ChunkedArray[Any]:
    """`pyarrow.chunked_array` of arrays of a type that is known only when it runs; there may be none."""
    column: pa.ChunkedArray[Any] = pa.chunked_array(arrays, type=type)  # type: ignore[call-overload]  # no such overload
    return column


def joined_strings(*strings: pa.Array[Any] | str) -> pa.Array[Any]:
    """`pyarrow.compute.binary_join_element_wise` of arrays and single strings; the last one separates."""
    joined: pa.Array[Any] = pc.binary_join_element_wise(*strings)  # type: ignore[arg-type]  # one kind alone there
    return joined


def as_arrow(values: object) -> pa.Array[Any] | None:
    """One array of what is one, chunked or not, or hands itself over as Arrow does; None of anything else.

    Of a list within a column (`pa.ListScalar`) these are its elements. A `Series` of pandas whose objects Arrow has no
    one type for is a sequence like others, which is None.

    Raises:
        Error: the array is damaged; to read its values could end the process.
    """
    if isinstance(values, pa.ListScalar):
        return values.values
    array = _handed_over(values)
    if array is None:
        return None
    check_buffers(array, "the Arrow array")
    return array


def _handed_over(values: Any) -> pa.Array[Any] | None:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return one_array(values)
    if is_of(values, "pandas", "Series"):
        try:
            series = one_array(pa.array(values, from_pandas=True))
            has_none = pa.types.is_floating(series.type) and series.null_count == len(series)
            return pa.nulls(len(series)) if has_none else series  # without values it is one of NaN
        except (pa.ArrowException, TypeError, ValueError):
            return None
    if hasattr(values, "__arrow_c_stream__"):
        stream: Any = values
        return one_array(pa.chunked_array(stream))
    return to_array(values) if hasattr(values, "__arrow_c_array__") else None


def is_of(value: object, module: str, *names: str) -> bool:
    """Whether a value is of a class of a library that is only imported where a caller has done so."""
    library = sys.modules.get(module)
    return any(isinstance(value, getattr(library, name, ())) for name in names)


def is_lists(kind: pa.DataType) -> bool:
    """Whether a column of this type has lists, whatever their layout."""
    tests = ("is_list", "is_large_list", "is_fixed_size_list", "is_list_view", "is_large_list_view")
    return any(getattr(pa.types, test)(kind) for test in tests)


def frequencies(values: pa.Array[Any] | pa.ChunkedArray[Any]) -> dict[str, int]:
    """How often each string other than null occurs, the most frequent first, then the one that occurs first."""
    return by_frequency(occurrences(values))


def occurrences(values: pa.Array[Any] | pa.ChunkedArray[Any]) -> dict[str, int]:
    """How often each string other than null occurs, in the order of their first occurrences."""
    strings = plain(one_array(values)).cast(pa.string())
    found = pylist(pc.value_counts(strings))
    return {item["values"]: item["counts"] for item in found if item["values"] is not None}


def by_frequency(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts, the largest first; equal ones stay in their order."""
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def list_lengths(lists: pa.Array[Any]) -> npt.NDArray[np.int64]:
    """The number of elements of each list; missing ones have none."""
    lengths = pc.list_value_length(lists).fill_null(0)
    return np.asarray(lengths.to_numpy(zero_copy_only=False), dtype=np.int64)


def joined_lists(first: pa.Array[Any], second: pa.Array[Any]) -> pa.Array[Any]:
    """Row by row, the elements of two columns of lists of the same type of values."""
    lengths = list_lengths(first), list_lengths(second)
    rows = np.concatenate([np.repeat(np.arange(len(of_one)), of_one) for of_one in lengths])
    order = to_array(np.argsort(rows, kind="stable"))
    offsets = np.concatenate([[0], np.cumsum(lengths[0] + lengths[1])])
    values = pa.concat_arrays([flattened(first), flattened(second)]).take(order)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def spread_lists(
    lists: pa.ChunkedArray[Any], where: pa.Array[Any] | pa.ChunkedArray[Any]
) -> pa.Array[Any] | pa.ChunkedArray[Any]:
    """Lists at the rows that are true, which are as many as there are lists, and empty ones at the others."""
    if len(lists) == len(where):
        return lists
    array = one_array(lists)
    lengths = np.zeros(len(where), np.int64)
    lengths[one_array(where).to_numpy(zero_copy_only=False)] = list_lengths(array)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), flattened(array)).cast(lists.type)


def with_columns(rows: ArrowRows, columns: Mapping[FieldT, pa.Array[Any] | pa.ChunkedArray[Any]]) -> ArrowRows:
    """A record batch or table with columns added, or replaced where they are, by name or by field."""
    column: Any  # batches take arrays alone, tables chunked ones as well
    for field, column in columns.items():
        index = rows.schema.get_field_index(field if isinstance(field, str) else field.name)
        rows = rows.append_column(field, column) if index < 0 else rows.set_column(index, field, column)
    return rows
