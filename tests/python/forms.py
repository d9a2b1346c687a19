"""The forms in which the same rows of words, links or entities may come: lists, tuples, NumPy, Arrow, dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from xner._support.arrow import chunked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "arrow_columns",
    "entity_forms",
    "link_columns",
    "link_forms",
    "scored_forms",
    "scored_link_forms",
    "spans_forms",
    "word_columns",
]

_STRINGS = (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string()))
_LISTS: tuple[Callable[[pa.DataType], pa.DataType], ...] = (pa.list_, pa.large_list, pa.list_view, pa.large_list_view)

_KINDS: dict[str, pa.DataType] = {name: pa.int32() for name in ("source", "target", "start", "end", "entity")} | {
    "score": pa.float64(),
    "label": pa.string(),
}


class Record:
    """An object that has values by name."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)

    def __repr__(self) -> str:
        return f"Record({self.__dict__})"


class Handed:
    """What is no Arrow array and hands one over, as arrays of other libraries do."""

    def __init__(self, array: pa.Array[Any]) -> None:
        self._array = array

    def __arrow_c_array__(self, requested_schema: object = None) -> object:
        return self._array.__arrow_c_array__(requested_schema)


@st.composite
def arrow_columns(draw: st.DrawFn, rows: Sequence[Any], values: pa.DataType) -> Any:
    """A column of lists of this type, of any layout: whole, out of a longer one, in chunks, or of another library."""
    kind = draw(st.sampled_from(_LISTS))(values)
    array = pa.array([rows[0], *rows, rows[-1]] if rows else [], kind).slice(1, len(rows))
    cut = draw(st.integers(0, len(rows)))
    chunks = chunked([array.slice(0, cut), array.slice(cut)], kind)
    return draw(st.sampled_from([array, chunks, Handed(array)]))


@st.composite
def word_columns(draw: st.DrawFn, rows: list[list[str]]) -> Any:
    """The rows in any form."""
    array: Any = pa.array(rows, pa.list_(pa.string()))
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


def records(tuples: Sequence[Sequence[Any]], names: str) -> list[Any]:
    """Tuples in all forms that have names: dictionaries, objects, structs of Arrow and of NumPy."""
    fields = [(name, _KINDS[name]) for name in names.split()]
    dicts = [dict(zip(names.split(), values, strict=True)) for values in tuples]
    array = pa.array(dicts, pa.struct(fields))
    dtype = np.dtype([(name, object if name == "label" else kind.to_pandas_dtype()) for name, kind in fields])
    return [
        dicts,
        list(map(Record, dicts)),
        list(array),
        array,
        pa.chunked_array([array.slice(0, 1), array.slice(1)]),
        Handed(array),
        pa.array([dicts], pa.list_(array.type))[0],
        np.array([tuple(values) for values in tuples], dtype),
    ]


def sequences(tuples: Sequence[Sequence[Any]]) -> list[Any]:
    """Tuples in all forms that go by order."""
    return [list(tuples), tuple(map(list, tuples)), iter(tuples), [np.array(values, object) for values in tuples]]


def pair_arrays(pairs: Sequence[tuple[int, int]]) -> list[Any]:
    """Pairs of small numbers as arrays."""
    array = np.array(pairs, np.int64).reshape(-1, 2)
    lists = pa.array(array.tolist(), pa.list_(pa.int16()))
    return [
        *(array.astype(kind) for kind in (np.int64, np.int32, np.uint8)),
        lists,
        lists.cast(pa.list_(pa.int64(), 2)),
    ]


def link_forms(links: Sequence[tuple[int, int]]) -> list[Any]:
    """Links of a sentence pair in all forms without scores."""
    return [*sequences(links), *records(links, "source target"), *pair_arrays(links)]


def scored_link_forms(links: Sequence[tuple[int, int, float]]) -> list[Any]:
    """Links of a sentence pair in all forms with scores."""
    return [*sequences(links), *records(links, "source target score")]


@st.composite
def link_columns(draw: st.DrawFn, rows: Sequence[Sequence[tuple[int, int, float]]]) -> Any:
    """Rows of links, with scores, in any form."""
    dicts = [[dict(zip(("source", "target", "score"), link, strict=True)) for link in row] for row in rows]
    kind = pa.struct(
        [
            ("source", draw(st.sampled_from([pa.int32(), pa.int64(), pa.uint8()]))),
            ("target", pa.int32()),
            ("score", draw(st.sampled_from([pa.float32(), pa.float64(), pa.float16()]))),
        ]
    )
    some = [draw(st.sampled_from(scored_link_forms(row))) for row in rows]
    return draw(st.one_of(st.sampled_from([rows, some, tuple(some), iter(some), dicts]), arrow_columns(dicts, kind)))


def spans_forms(spans: Sequence[tuple[int, int]]) -> list[Any]:
    """Spans in all forms, as entities, too."""
    return [
        *sequences(spans),
        *records(spans, "start end"),
        *pair_arrays(spans),
        *entity_forms([(*span, "X") for span in spans]),
    ]


def entity_forms(entities: Sequence[tuple[int, int, str]]) -> list[Any]:
    """Entities in all forms."""
    longer = [(7, label, end, start) for start, end, label in entities]
    return [
        *sequences(entities),
        *records(entities, "start end label"),
        *records(longer, "source label end start"),
    ]


def scored_forms(pairs: Sequence[tuple[int, int, int, float]]) -> list[Any]:
    """Scored spans in all forms."""
    return [
        *sequences(pairs),
        *records(pairs, "entity start end score"),
        *records(pairs, "source start end score"),
    ]
