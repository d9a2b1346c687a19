"""The forms in which the same rows of words, links or entities may come: lists, tuples, NumPy, Arrow, dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["arrow_columns", "word_columns"]

_STRINGS = (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string()))
_LISTS: tuple[Callable[[pa.DataType], pa.DataType], ...] = (pa.list_, pa.large_list, pa.list_view, pa.large_list_view)


class Handed:
    """What is no Arrow array and hands one over, as arrays of other libraries do."""

    def __init__(self, array: pa.Array) -> None:
        self._array = array

    def __arrow_c_array__(self, requested_schema: object = None) -> object:
        return self._array.__arrow_c_array__(requested_schema)


@st.composite
def arrow_columns(draw: st.DrawFn, rows: Sequence[Any], values: pa.DataType) -> Any:
    """A column of lists of this type, of any layout: whole, out of a longer one, in chunks, or of another library."""
    kind = draw(st.sampled_from(_LISTS))(values)
    array = pa.array([rows[0], *rows, rows[-1]] if rows else [], kind).slice(1, len(rows))
    cut = draw(st.integers(0, len(rows)))
    chunks = pa.chunked_array([array.slice(0, cut), array.slice(cut)], type=kind)
    return draw(st.sampled_from([array, chunks, Handed(array)]))


@st.composite
def word_columns(draw: st.DrawFn, rows: list[list[str]]) -> Any:
    """The rows in any form."""
    array = pa.array(rows, pa.list_(pa.string()))
    plain = [
        rows,
        tuple(map(tuple, rows)),
        iter(rows),
        [np.array(row, object) for row in rows],
        [np.array(row, str) for row in rows],
        list(array),
        [one.values for one in array],
        [pa.chunked_array([one.values]) for one in array],
    ]
    strings = draw(st.sampled_from(_STRINGS))
    return draw(st.one_of(st.sampled_from(plain), arrow_columns(rows, strings)))
