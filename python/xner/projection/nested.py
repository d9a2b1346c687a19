"""Source entities within others: which of them to project, and projecting each by itself.

Spans of one sentence's labels cannot overlap, and entities that compete for words take them from each other: nested
entities are projected a layer at a time, those that lie in no other first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner._support.arrow import one_array, pylist
from xner.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["NESTED", "Nested", "choose_nested", "layers_of", "overlapping_rows", "project_layers"]

Nested = Literal["error", "keep", "outermost", "innermost"]
NESTED: Final[tuple[Nested, ...]] = get_args(Nested)

_Span: TypeAlias = tuple[int, int]
# Columns whose values name a source entity by its place: the name of that field.
_BY_SOURCE = {schema.HINTS: "source", schema.NMT_SCORES: "source"}
_MERGED = (schema.ENTITIES, schema.DROPPED, schema.ADJUSTED)


def overlapping_rows(entities: pa.ChunkedArray[Any] | pa.Array[Any]) -> list[int]:
    """The rows in which some entities share words.

    Args:
        entities: list<struct<start, end, ...>>, a list a row.
    """
    column = one_array(entities)
    flat = pc.list_flatten(column)
    keys = {
        "row": pc.list_parent_indices(column),
        "start": pc.struct_field(flat, "start"),
        "end": pc.struct_field(flat, "end"),
    }
    spans = pa.table(keys).sort_by([("row", "ascending"), ("start", "ascending"), ("end", "ascending")])
    if spans.num_rows < 2:
        return []
    row, start, end = (spans[name].to_numpy() for name in ("row", "start", "end"))
    # Sorted by start, entities that do not overlap end in order: only then does each begin where those before it end.
    touching = (row[1:] == row[:-1]) & (start[1:] < end[:-1])
    return sorted({int(one) for one in row[1:][touching]})


def layers_of(spans: Sequence[_Span]) -> list[int]:
    """For each entity its layer: 0 where no other one of the sentence is longer and shares words, and so on.

    Entities of one layer share no words. The longer one of two that do comes first, of equal ones the one further left,
    then the earlier one.
    """
    layers = [0] * len(spans)
    taken: list[list[_Span]] = []
    for place in sorted(range(len(spans)), key=lambda one: (spans[one][0] - spans[one][1], spans[one][0], one)):
        start, end = spans[place]
        layer = 0
        while layer < len(taken) and any(start < other[1] and other[0] < end for other in taken[layer]):
            layer += 1
        if layer == len(taken):
            taken.append([])
        taken[layer].append((start, end))
        layers[place] = layer
    return layers


def choose_nested(table: pa.Table, nested: Nested) -> tuple[pa.Table, int]:
    """A table whose source entities do not overlap, or all of them with `keep`, and how many were left out.

    Args:
        table: with `source_entities`.
        nested: `error`, `outermost` or `innermost` of those that overlap, or `keep`.

    Raises:
        DataError: with `error`, the first row that has some.
    """
    rows = [] if nested == "keep" else overlapping_rows(table[schema.SOURCE_ENTITIES])
    if not rows:
        return table, 0
    column = one_array(table[schema.SOURCE_ENTITIES])
    values = pylist(column)
    if nested == "error":
        row = rows[0]
        first, second = _clash(values[row])
        row_id = str(table[schema.ID][row].as_py()) if schema.ID in table.schema.names else None
        reason = f"shares words with {_shown(first)}; `nested` decides: keep, outermost or innermost"
        raise DataError(row, schema.SOURCE_ENTITIES, _shown(second), reason, row_id=row_id)
    left_out = 0
    for row in rows:
        found = values[row]
        layers = layers_of([(one["start"], one["end"]) for one in found])
        if nested == "outermost":
            kept = [one for one, layer in zip(found, layers, strict=True) if layer == 0]
        else:
            kept = [one for one in found if not any(other is not one and _lies_in(other, one) for other in found)]
            again = layers_of([(one["start"], one["end"]) for one in kept])
            kept = [one for one, layer in zip(kept, again, strict=True) if layer == 0]
        left_out += len(found) - len(kept)
        values[row] = kept
    place = table.schema.names.index(schema.SOURCE_ENTITIES)
    return table.set_column(place, schema.SOURCE_ENTITIES, pa.array(values, column.type)), left_out


def _lies_in(inner: dict[str, Any], outer: dict[str, Any]) -> bool:
    """Whether an entity is a part of a longer one."""
    within = outer["start"] <= inner["start"] and inner["end"] <= outer["end"]
    return bool(within and inner["end"] - inner["start"] < outer["end"] - outer["start"])


def _clash(entities: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The first two that share words."""
    return next(
        (one, other)
        for place, other in enumerate(entities)
        for one in entities[:place]
        if one["start"] < other["end"] and other["start"] < one["end"]
    )


def _shown(entity: dict[str, Any]) -> str:
    return f"{entity['label']} [{entity['start']}, {entity['end']})"


def project_layers(rows: Any, project: Callable[[Any], Any]) -> Any:
    """Project rows whose source entities may overlap, those of each layer by themselves.

    Args:
        rows: a record batch or table with `source_entities`.
        project: makes `entities` and `labels`, as a `Projector` does, of rows whose entities do not overlap.

    Returns:
        What `project` gives; `entities` has those of all layers, `labels` the first one's, in which longer entities
        are.
    """
    odd = overlapping_rows(rows.column(schema.SOURCE_ENTITIES))
    if not odd:
        return project(rows)
    original = rows.column(schema.SOURCE_ENTITIES)
    values = pylist(one_array(original))
    layers = {row: layers_of([(one["start"], one["end"]) for one in values[row]]) for row in odd}
    found = _put(project(_only(rows, layers, 0)), schema.SOURCE_ENTITIES, original)
    merged = {name: pylist(one_array(found.column(name))) for name in _MERGED if name in found.schema.names}
    _rename_sources(merged, dict(zip(odd, odd, strict=True)), layers, 0)
    for layer in range(1, 1 + max(max(one) for one in layers.values())):
        deep = [row for row in odd if layer in layers[row]]
        below = _only(rows, layers, layer).take(pa.array(deep, pa.int64()))
        projected = project(below)
        more = {name: pylist(one_array(projected.column(name))) for name in merged}
        _rename_sources(more, dict(enumerate(deep)), layers, layer)
        for name, lists in more.items():
            for place, row in enumerate(deep):
                merged[name][row] = [*(merged[name][row] or ()), *(lists[place] or ())]
    for name, lists in merged.items():
        kind = found.schema.field(name).type
        found = _put(found, name, pa.array(lists, kind))
    return found


def _put(rows: Any, name: str, column: Any) -> Any:
    """Rows with another column of a name."""
    return rows.set_column(rows.schema.names.index(name), rows.schema.field(name), column)


def _only(rows: Any, layers: dict[int, list[int]], layer: int) -> Any:
    """Rows with the entities of a layer alone, where they overlap, and with what is said of these."""
    for name in (schema.SOURCE_ENTITIES, *_BY_SOURCE):
        if name not in rows.schema.names:
            continue
        column = one_array(rows.column(name))
        values = pylist(column)
        for row, its in layers.items():
            kept = [place for place, one in enumerate(its) if one == layer]
            if name == schema.SOURCE_ENTITIES:
                values[row] = [values[row][place] for place in kept]
            elif values[row] is not None:
                new = {place: number for number, place in enumerate(kept)}
                field = _BY_SOURCE[name]
                values[row] = [{**one, field: new[one[field]]} for one in values[row] if one[field] in new]
        rows = _put(rows, name, pa.array(values, column.type))
    return rows


def _rename_sources(
    columns: dict[str, list[Any]], row_of: dict[int, int], layers: dict[int, list[int]], layer: int
) -> None:
    """In place: entities name their source entity by its place among all of the row's."""
    for lists in columns.values():
        for place, row in row_of.items():
            kept = [number for number, one in enumerate(layers[row]) if one == layer]
            lists[place] = [{**one, "source": kept[one["source"]]} for one in lists[place] or ()]
