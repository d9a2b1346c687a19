"""Labels that are numbers, and their names, as the library `datasets` keeps them in a file's metadata."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from xner import schema
from xner._support.arrow import is_lists, pylist
from xner.errors import DataError

__all__ = ["named", "named_classes"]

_METADATA = b"huggingface"


def named_classes(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch whose columns of numbers that have names (ClassLabel) hold these.

    Raises:
        DataError: a number without a name.
    """
    names = _class_names(batch.schema)
    for place, field in enumerate(batch.schema):
        if field.name in names and is_lists(field.type) and pa.types.is_integer(field.type.value_type):
            column = named(batch.column(place), names[field.name], field.name)
            batch = batch.set_column(place, field.with_type(column.type), column)
    return batch


def _class_names(columns: pa.Schema) -> dict[str, list[str]]:
    """The names of each column's classes, so far as the metadata has some."""
    try:
        features = json.loads((columns.metadata or {})[_METADATA])["info"]["features"]
        return {name: found for name, feature in features.items() if (found := _names_of(feature))}
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}


def _names_of(feature: Any) -> list[str]:
    """The names of a list's classes."""
    inner = feature.get("feature", feature) if isinstance(feature, dict) else feature[0]
    names = inner.get("names") if isinstance(inner, dict) and inner.get("_type") == "ClassLabel" else None
    return [str(name) for name in names] if isinstance(names, list) else []


def named(numbers: pa.Array[Any], names: list[str], column: str) -> pa.Array[Any]:
    """Lists of names from lists of their numbers.

    Raises:
        DataError: a number without a name.
    """
    rows = []
    for row, some in enumerate(pylist(numbers)):
        for number in some or ():
            if number is None or not 0 <= number < len(names):
                raise DataError(row, column, str(number), f"there are names for the numbers 0 to {len(names) - 1}")
        rows.append(None if some is None else [names[number] for number in some])
    return pa.array(rows, schema.WORDS_TYPE)
