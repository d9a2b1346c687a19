"""Tables of every kind as Arrow has them, and what was made of them in the kind that came.

pandas, polars and `datasets` are only used where the caller has handed over something of theirs.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import pyarrow as pa

from xner import schema
from xner._layouts import plain
from xner._support.arrow import chunked, flattened, is_lists, is_of, one_array
from xner._support.records import entity_tuples, link_tuples, span_tuples
from xner._support.sentences import to_arrow, with_values
from xner.errors import DataError, Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Opened", "TableLike", "open_rows", "to_table"]

TableLike: TypeAlias = "pa.Table | pa.RecordBatch | pa.RecordBatchReader | Any"
"""A table, record batch or reader of pyarrow, a DataFrame of pandas or polars, a LazyFrame, a `datasets.Dataset`, or
what hands itself over as an Arrow stream of record batches."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Rows of any kind, opened.

    Attributes:
        table: the rows.
        close: makes the kind that was opened of a table that was made of `table`, with as many rows. Columns that
            are still what they were stay the caller's own, types and index included.
    """

    table: pa.Table
    close: Callable[[pa.Table], Any]


def to_table(rows: TableLike) -> pa.Table:
    """Rows of any kind as a table; see `open_rows`."""
    return open_rows(rows).table


def open_rows(rows: TableLike) -> Opened:
    """Open rows of any kind.

    Args:
        rows: see `TableLike`.

    Raises:
        DataError: a cell of a DataFrame that is not what its column holds.
        Error: no table; the message says what was found, and what to do with it.
    """
    if isinstance(rows, pa.Table):
        return Opened(_typed(rows), lambda made: made)
    if isinstance(rows, pa.RecordBatch):
        return Opened(_typed(pa.Table.from_batches([rows])), _one_batch)
    if isinstance(rows, pa.RecordBatchReader):
        return Opened(_typed(rows.read_all()), lambda made: made.to_reader())
    if is_of(rows, "pandas", "DataFrame"):
        return _open_pandas(rows)
    if is_of(rows, "polars", "LazyFrame"):
        collected = _open_polars(rows.collect())
        return Opened(collected.table, lambda made: collected.close(made).lazy())
    if is_of(rows, "polars", "DataFrame"):
        return _open_polars(rows)
    if is_of(rows, "datasets", "Dataset"):
        return _open_dataset(rows)
    if hasattr(rows, "__arrow_c_stream__") and not is_of(rows, "pandas", "Series"):
        return Opened(_from_stream(rows), lambda made: made)
    raise Error(
        f"expected a pyarrow RecordBatch or Table, found {type(rows).__name__}; "
        f"DataFrames and datasets.Dataset are tables, too{_remedy(rows)}"
    )


def _remedy(rows: object) -> str:
    if is_of(rows, "datasets", "DatasetDict", "IterableDatasetDict"):
        return ", a dictionary of splits is not: take one of them"
    if is_of(rows, "datasets", "IterableDataset"):
        return ", a stream is not: .with_format('arrow').map(..., batched=True) hands on its batches"
    if isinstance(rows, dict):
        return ", and pa.table makes one of columns"
    if isinstance(rows, list):
        return ", and pa.Table.from_pylist makes one of rows"
    if isinstance(rows, str | Path):
        return f", and `xner.io.read({str(rows)!r})` reads one from a file"
    return ""


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    arrays = [one_array(column) for column in table.columns]
    return pa.RecordBatch.from_arrays(arrays, schema=table.schema)


def _from_stream(rows: Any) -> pa.Table:
    try:
        return _typed(pa.table(rows))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise Error(f"expected a table, found {type(rows).__name__}: {error}") from error


def _typed(table: pa.Table) -> pa.Table:
    """A table whose columns of the contract have its types, where they are without values, and so of no type."""
    for place, field in enumerate(table.schema):
        is_null = pa.types.is_null(field.type)
        wanted: Any = schema.COLUMN_TYPES.get(field.name)
        if wanted is not None and (is_null or (_is_of_nulls(field.type) and is_lists(wanted))):
            chunks = [
                pa.nulls(len(chunk), wanted)
                if is_null
                else with_values(plain(chunk), pa.nulls(len(flattened(plain(chunk))), wanted.value_type))
                for chunk in table.column(place).chunks
            ]
            table = table.set_column(place, field.name, chunked(chunks, wanted))
    return table


def _is_of_nulls(kind: pa.DataType) -> bool:
    return is_lists(kind) and pa.types.is_null(cast("pa.ListType[Any]", kind).value_type)


def _changed(made: pa.Table, table: pa.Table) -> list[str]:
    """The names of columns that are new, or no longer what they were."""
    before = set(table.schema.names)
    return [name for name in made.schema.names if name not in before or not made[name].equals(table[name])]


# -- pandas --------------------------------------------------------------------------------------------------


def _open_pandas(frame: Any) -> Opened:
    names = {str(name): name for name in frame.columns}
    if len(names) < len(frame.columns):
        twice = sorted({str(name) for name in frame.columns if list(map(str, frame.columns)).count(str(name)) > 1})
        raise Error(f"the DataFrame has more than one column {', '.join(map(repr, twice))}")
    table = _typed(pa.table({name: _series(frame[own], name) for name, own in names.items()}))

    def close(made: pa.Table) -> Any:
        result = frame[[names[name] for name in made.schema.names if name in names]].copy(deep=False)
        for name in _changed(made, table):
            result[names.get(name, name)] = made[name].to_pandas().set_axis(frame.index)
        return result[[names.get(name, name) for name in made.schema.names]]

    return Opened(table, close)


def _series(series: Any, name: str) -> pa.Array[Any] | pa.ChunkedArray[Any]:
    """A column of a DataFrame; objects are of one Arrow type, or are read as the contract's column of this name."""
    try:
        found = one_array(pa.array(series, from_pandas=True))
    except (pa.ArrowException, TypeError, ValueError) as error:
        if name in schema.COLUMN_TYPES:
            return _objects(series, name)
        reason = "its values are of no one type: convert it, or drop it"
        raise Error(f"column '{name}' of the DataFrame: {reason} ({error})") from error
    if name in schema.COLUMN_TYPES and pa.types.is_floating(found.type) and found.null_count == len(found):
        return pa.nulls(len(found))  # what pandas has for a column without values
    if name in _RECORDS and series.dtype == object and not _holds_structs(found.type):
        return _objects(series, name)
    return found


def _holds_structs(kind: pa.DataType) -> bool:
    values: pa.DataType = getattr(kind, "value_type", kind)
    return bool(pa.types.is_struct(values) or pa.types.is_null(values))


# Columns whose rows may be tuples, by name, as functions that read a row into tuples with the fields of its type.
_RECORDS: dict[str, Callable[[str, Any], Iterable[tuple[Any, ...]]]] = {
    schema.LINKS: link_tuples,
    schema.SOURCE_ENTITIES: entity_tuples,
    schema.PIVOT_ENTITIES: entity_tuples,
    schema.CANDIDATES: span_tuples,
}


def _objects(series: Any, name: str) -> pa.Array[Any]:
    """Rows of Python's or NumPy's objects as a column of the contract.

    Raises:
        DataError: a row is something else.
        Error: the column cannot be read as its type.
    """
    rows = [None if _is_missing(row) else row for row in series]
    wanted: Any = schema.COLUMN_TYPES[name]
    result: pa.Array[Any]
    if name in _RECORDS:
        fields = [field.name for field in wanted.value_type]
        values = []
        for number, row in enumerate(rows):
            try:
                found = (
                    None if row is None else [dict(zip(fields, one, strict=True)) for one in _RECORDS[name](name, row)]
                )
            except DataError as error:
                raise DataError(number, name, error.value, error.reason) from None
            values.append(found)
        result = pa.array(values, wanted)
        return result
    if wanted == schema.WORDS_TYPE:
        return to_arrow(rows, name)
    try:
        result = pa.array(rows, wanted, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise Error(f"column '{name}': expected {wanted}, found objects of other types ({error})") from error
    return result


def _is_missing(value: Any) -> bool:
    """None, NaN, and what pandas has for missing values."""
    return value is None or (isinstance(value, float) and isnan(value)) or type(value).__name__ in {"NAType", "NaTType"}


# -- polars --------------------------------------------------------------------------------------------------


def _open_polars(frame: Any) -> Opened:
    table = _from_stream(frame)

    def close(made: pa.Table) -> Any:
        changed = made.select(_changed(made, table))
        result = (
            frame.with_columns(sys.modules["polars"].from_arrow(changed).get_columns()) if changed.schema else frame
        )
        return result.select(made.schema.names)

    return Opened(table, close)


# -- datasets ------------------------------------------------------------------------------------------------


def _open_dataset(dataset: Any) -> Opened:
    own = dataset.with_format("arrow")[:].replace_schema_metadata(None)

    def close(made: pa.Table) -> Any:
        library = sys.modules["datasets"]
        changed = set(_changed(made, own))
        made = pa.table(
            {name: _without_dictionary(made[name]) if name in changed else made[name] for name in made.schema.names}
        )
        features = library.Features.from_arrow_schema(made.schema)
        features.update({name: dataset.features[name] for name in made.schema.names if name not in changed})
        info = library.DatasetInfo(features=features)
        result = library.Dataset(library.table.InMemoryTable(made), info=info, split=dataset.split)
        form = dataset.format
        return result.with_format(form["type"], **form["format_kwargs"])

    return Opened(_typed(own), close)


def _without_dictionary(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Data sets have no features for dictionaries."""
    if not pa.types.is_dictionary(column.type):
        return column
    return pa.chunked_array([plain(chunk) for chunk in column.chunks], type=column.type.value_type)
