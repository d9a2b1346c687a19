"""JSON Lines: one object a row, with the columns as fields.

Spans and links are objects, `{"start": 0, "end": 2, "label": "PER"}` and `{"source": 0, "target": 1}`; lists
in that order, `[0, 2, "PER"]` and `[0, 1]`, are read too. Fields that are no column of the contract are kept
where they are simple: texts, numbers, truth values, or lists of them; objects and nested lists are left out.
Blank lines are no rows.

JSON has no infinity, which the margin of an entity without an alternative is: the largest number of 32 bits stands for
it, and is read as such.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner._support.arrow import flattened, is_lists
from xner._support.sentences import with_values
from xner.errors import DataError, FormatError
from xner.io._fields import OPTIONAL_FIELDS
from xner.io._json import iter_objects
from xner.io._lines import rebatch, row_ids
from xner.io._rows import TextOutput, column, write_rows

if TYPE_CHECKING:
    import os

__all__ = ["JsonlWriter", "iter_jsonl", "read_jsonl", "write_jsonl"]

_ROWS = 16_384

_Convert = Callable[[Any], Any]
_Row = tuple[int, dict[str, Any]]  # line number, fields


_LABELS = (schema.LABELS, schema.GOLD_LABELS)
_MARGIN = "margin"
_INFINITE: Final = float(np.finfo(np.float32).max)  # is written for a margin that is infinite


@dataclass(frozen=True, slots=True)
class _Known:
    """Which fields are columns of the contract; the arguments of `iter_jsonl`."""

    missing_words: bool
    as_found: Collection[str]

    def type_of(self, name: str) -> pa.DataType | None:
        """The type that a field's values must have; None where they may have any."""
        return None if name in self.as_found and name != schema.ID else schema.COLUMN_TYPES.get(name)


class _WrongValueError(Exception):
    """What is wrong with a value, and where in its field."""


def iter_jsonl(
    path: str | os.PathLike[str],
    *,
    batch_rows: int = _ROWS,
    missing_words: bool = False,
    as_found: Collection[str] = (),
) -> Iterator[pa.RecordBatch]:
    """Reads rows in batches, so that memory stays bounded.

    Args:
        path: UTF-8 text, or the same compressed (`.gz`).
        batch_rows: rows a batch.
        missing_words: whether words and labels may be null, for those who know what to do with such rows.
        as_found: fields that may be anything, whatever the contract says of columns of their names.

    Yields:
        Batches with the columns of the fields; a row without a field has null there, and one without an `id`
        has its number, from 0, as its id. The first rows decide which columns there are and of what types. At
        least one batch.

    Raises:
        FormatError: not JSON, not an object, a field of another form than its column's, or a new field after
            the first rows; the message names file, line and field.
    """
    return rebatch(_iter_jsonl(path, _Known(missing_words, as_found)), batch_rows)


def _iter_jsonl(path: str | os.PathLike[str], known: _Known) -> Iterator[pa.RecordBatch]:
    arrow_schema: pa.Schema | None = None
    for rows, first_row in _chunks(path):
        batch = _batch(str(path), rows, first_row, arrow_schema, known)
        arrow_schema = batch.schema
        yield batch


def read_jsonl(
    path: str | os.PathLike[str], *, missing_words: bool = False, as_found: Collection[str] = ()
) -> pa.Table:
    """Reads all rows of a file; see `iter_jsonl`. Here a new field may turn up on any line.

    Raises:
        FormatError: as in `iter_jsonl`, or a field that is of one type first and of another later.
    """
    known = _Known(missing_words, as_found)
    batches = [_batch(str(path), rows, first_row, None, known) for rows, first_row in _chunks(path)]
    tables = [pa.Table.from_batches([batch]) for batch in batches]
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as problem:
        raise FormatError(f"{path}: a field changes its type between lines: {problem}") from problem


def _chunks(path: str | os.PathLike[str]) -> Iterator[tuple[list[_Row], int]]:
    """The rows of a file in lists, with the number of each list's first; at least one list."""
    rows: list[_Row] = []
    first_row = 0
    for row in iter_objects(path):
        rows.append(row)
        if len(rows) == _ROWS:
            yield rows, first_row
            rows, first_row = [], first_row + len(rows)
    if rows or not first_row:
        yield rows, first_row


def _batch(
    path: str, rows: list[_Row], first_row: int, arrow_schema: pa.Schema | None, columns: _Known
) -> pa.RecordBatch:
    """Rows as columns; `arrow_schema` is that of the rows before, `None` for the first."""
    names = dict.fromkeys([schema.ID, *(name for _, fields in rows for name in fields)])
    if arrow_schema is not None:
        for line, fields in rows:
            for name in fields:
                kept = columns.type_of(name) is not None or _is_simple(fields[name])
                if kept and arrow_schema.get_field_index(name) < 0:
                    raise FormatError(f"{path}, line {line}: field '{name}' is new; earlier lines have no such field")
        names = dict.fromkeys(arrow_schema.names)
    arrays = {}
    for name in names:
        known = columns.type_of(name)
        if known is not None and not (name in _LABELS and _are_numbers(rows, name)):
            array = _known_column(path, rows, name, known, columns.missing_words)
            arrays[name] = _fill_ids(array, first_row) if name == schema.ID and array.null_count else array
            continue
        values = [fields.get(name) for _, fields in rows]
        simple = [value if _is_simple(value) else None for value in values]
        holds_others_alone = simple != values and all(value is None for value in simple)
        if arrow_schema is not None:
            arrays[name] = _other_column(path, rows, name, simple, arrow_schema.field(name).type)
        elif not holds_others_alone:
            arrays[name] = _other_column(path, rows, name, simple, None)
    return pa.RecordBatch.from_pydict(arrays)


def _are_numbers(rows: list[_Row], name: str) -> bool:
    """Whether labels are numbers, which those understand who know their names."""
    found = (fields.get(name) for _, fields in rows)
    values = [value for row in found if isinstance(row, list) for value in row]
    return bool(values) and all(isinstance(value, int) and not isinstance(value, bool) for value in values)


def _fill_ids(ids: pa.Array[Any], first_row: int) -> pa.Array[Any]:
    return pa.array(
        [
            number if own is None else own
            for own, number in zip(ids.to_pylist(), row_ids(first_row, len(ids)).to_pylist(), strict=True)
        ],
        pa.string(),
    )


def _known_column(
    path: str, rows: list[_Row], name: str, arrow_type: pa.DataType, missing_words: bool
) -> pa.Array[Any]:
    convert = _converter(arrow_type, OPTIONAL_FIELDS.get(name, frozenset()))
    if missing_words and arrow_type == schema.WORDS_TYPE:
        convert = _list_converter(lambda value: None if value is None else _text(value))
    if name == schema.ID:
        convert = _identifier
    values = []
    for line, fields in rows:
        value = fields.get(name)
        try:
            values.append(None if value is None else convert(value))
        except _WrongValueError as problem:
            raise FormatError(f"{path}, line {line}, field '{name}': {problem}") from None
    return pa.array(values, arrow_type)


def _other_column(
    path: str, rows: list[_Row], name: str, values: list[Any], arrow_type: pa.DataType | None
) -> pa.Array[Any]:
    try:
        return pa.array(values, arrow_type)
    except (pa.ArrowException, OverflowError, TypeError) as problem:
        # One after the other, to find the line.
        for count, (line, _) in enumerate(rows, start=1):
            try:
                pa.array(values[:count], arrow_type)
            except (pa.ArrowException, OverflowError, TypeError):
                reason = f"{_shown(values[count - 1])} is of another type than the values of earlier lines"
                raise FormatError(f"{path}, line {line}, field '{name}': {reason}") from problem
        raise


def _is_simple(value: Any) -> bool:
    return not isinstance(value, dict) and not (
        isinstance(value, list) and any(isinstance(item, dict | list) for item in value)
    )


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _identifier(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _WrongValueError(f"expected a text or a whole number, found {_shown(value)}")
    return str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _WrongValueError(f"expected a text, found {_shown(value)}")
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _WrongValueError(f"expected a whole number, found {_shown(value)}")
    if abs(value) >= 2**31:
        raise _WrongValueError(f"expected a whole number of 32 bits, found {_shown(value)}")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _WrongValueError(f"expected a number, found {_shown(value)}")
    return float(value)


def _margin(value: Any) -> float:
    margin = _number(value)
    return math.inf if margin >= _INFINITE else margin


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _WrongValueError(f"expected true or false, found {_shown(value)}")
    return value


def _converter(arrow_type: pa.DataType, optional: frozenset[str]) -> _Convert:
    """A function that checks a JSON value and brings it into the form that `pa.array` takes for a type."""
    if isinstance(arrow_type, pa.ListType):
        return _list_converter(_converter(arrow_type.value_type, optional))
    if isinstance(arrow_type, pa.StructType):
        return _struct_converter(arrow_type, optional)
    if pa.types.is_boolean(arrow_type):
        return _truth
    if pa.types.is_integer(arrow_type):
        return _integer
    if pa.types.is_floating(arrow_type):
        return _number
    return _text


def _list_converter(convert: _Convert) -> _Convert:
    def convert_list(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise _WrongValueError(f"expected a list, found {_shown(value)}")
        result = []
        for index, item in enumerate(value):
            try:
                result.append(convert(item))
            except _WrongValueError as problem:
                raise _WrongValueError(f"item {index}: {problem}") from None
        return result

    return convert_list


def _struct_converter(arrow_type: pa.StructType, optional: frozenset[str]) -> _Convert:
    converters = {
        field.name: _margin if field.name == _MARGIN else _converter(field.type, frozenset()) for field in arrow_type
    }
    names = list(converters)
    required = [name for name in names if name not in optional]

    def convert_struct(value: Any) -> dict[str, Any]:
        if isinstance(value, list):
            if not len(required) <= len(value) <= len(names):
                raise _WrongValueError(f"expected [{', '.join(required)}], found {_shown(value)}")
            value = dict(zip(names, value, strict=False))
        if not isinstance(value, dict):
            raise _WrongValueError(f"expected an object with {', '.join(required)}, found {_shown(value)}")
        result: dict[str, Any] = {}
        for name, item in value.items():
            if name not in converters:
                raise _WrongValueError(f"'{name}' is none of {', '.join(names)}")
            if item is None and name in optional:
                continue
            try:
                result[name] = converters[name](item)
            except _WrongValueError as problem:
                raise _WrongValueError(f"'{name}': {problem}") from None
        for name in required:
            if name not in result:
                raise _WrongValueError(f"'{name}' is missing in {_shown(value)}")
        return result

    return convert_struct


class JsonlWriter:
    """Writes each row as an object."""

    def __init__(self, file: BinaryIO, *, rows_before: int = 0) -> None:
        """Writes to an open binary file.

        Args:
            file: where to.
            rows_before: rows that are in front of these, where the file is a part of another.
        """
        self._output = TextOutput(file, at_start=not rows_before)
        self._rows = rows_before

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends a batch's rows.

        Raises:
            DataError: a value that JSON has no form for (not a number, infinite but for margins, bytes, ...).
        """
        columns = {
            name: _shortest(_with_finite_margins(column(batch, name))).to_pylist() for name in batch.schema.names
        }
        lines = []
        for row in range(batch.num_rows):
            fields = {name: values[row] for name, values in columns.items()}
            try:
                lines.append(json.dumps(fields, ensure_ascii=False, allow_nan=False) + "\n")
            except (TypeError, ValueError) as problem:
                raise self._error(row, fields) from problem
        self._output.write("".join(lines))
        self._rows += batch.num_rows

    def _error(self, row: int, fields: dict[str, Any]) -> DataError:
        for name, value in fields.items():
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError) as problem:
                return DataError(self._rows + row, name, str(value), f"not a JSON value: {problem}")
        raise AssertionError("every field can be written, the row cannot")

    def close(self) -> None:
        """Nothing is held back."""


def _with_finite_margins(array: pa.Array[Any]) -> pa.Array[Any]:
    """A column of records, if it is one, with the largest number for margins that are infinite."""
    records = array.type.value_type if is_lists(array.type) else None
    if records is None or not pa.types.is_struct(records) or records.get_field_index(_MARGIN) < 0:
        return array
    flat = flattened(array)
    margins = pc.struct_field(flat, _MARGIN)
    if not pa.types.is_floating(margins.type):
        return array
    is_infinite = pc.equal(margins, pa.scalar(math.inf, margins.type))
    if not pc.any(is_infinite).as_py():
        return array
    names = [field.name for field in records]
    columns = [pc.struct_field(flat, name) for name in names]
    columns[names.index(_MARGIN)] = pc.if_else(is_infinite, pa.scalar(_INFINITE, margins.type), margins)
    return with_values(array, pa.StructArray.from_arrays(columns, names=names))


def _shortest(array: pa.Array[Any]) -> pa.Array[Any]:
    """32-bit floats as the 64-bit floats of the same shortest decimal form: 0.1, not 0.10000000149011612."""
    as_text = _replace_floats(array.type, pa.string())
    if as_text == array.type:
        return array
    return array.cast(as_text).cast(_replace_floats(array.type, pa.float64()))


def _replace_floats(arrow_type: pa.DataType, leaf: pa.DataType) -> pa.DataType:
    if isinstance(arrow_type, pa.ListType):
        return pa.list_(_replace_floats(arrow_type.value_type, leaf))
    if isinstance(arrow_type, pa.LargeListType):
        return pa.large_list(_replace_floats(arrow_type.value_type, leaf))
    if isinstance(arrow_type, pa.StructType):
        fields = [arrow_type.field(index) for index in range(arrow_type.num_fields)]
        return pa.struct([(field.name, _replace_floats(field.type, leaf)) for field in fields])
    return leaf if pa.types.is_float32(arrow_type) else arrow_type


def write_jsonl(table: pa.Table, path: str | os.PathLike[str]) -> None:
    """Writes one object a line; see `JsonlWriter`.

    Args:
        table: the rows; all columns are written.
        path: the target; compressed if it ends in `.gz`.
    """
    write_rows(table, path, JsonlWriter)
