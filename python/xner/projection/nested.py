"""Source entities within others: which of them to project, and projecting each by itself.

Spans of one sentence's labels cannot overlap, and entities that compete for words take them from each other: nested
entities are projected a layer at a time, those that lie in no other first. Published programs have all of a sentence
compete at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

import pyarrow as pa

from xner import schema
from xner._support.arrow import one_array, pylist
from xner._support.overlaps import overlapping_rows
from xner.errors import DataError
from xner.labels.tags import OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "NESTED",
    "Nested",
    "check_overlaps",
    "choose_nested",
    "clash_of",
    "layers_for",
    "layers_of",
    "merged_status",
    "project_layers",
]

Nested = Literal["error", "keep", "outermost", "innermost", "compete"]
NESTED: Final[tuple[Nested, ...]] = get_args(Nested)

_Span: TypeAlias = tuple[int, int]
_LEFT_OUT: Final = -1
_REMEDY: Final = "`nested` decides: keep, outermost, innermost or compete"
# Columns whose values name a source entity by its place: the name of that field.
_BY_SOURCE = {schema.HINTS: "source", schema.NMT_SCORES: "source"}
_MERGED = (schema.ENTITIES, schema.DROPPED, schema.ADJUSTED)
# What a search says of its choice, the worst first: of the whole row, whatever other entities it has.
_WORST = ("invalid", "not_solved", "infeasible", "not_proven")
# Why nothing was projected, the last step first: of a layer alone where others have entities.
_NOTHING = (schema.FILTERED, "no_match", "no_links")
_OK: Final = "ok"


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


def layers_for(spans: Sequence[_Span], nested: Nested) -> list[int]:
    """For each entity its layer: those of one are projected together, by themselves.

    Args:
        spans: of a sentence's entities.
        nested: what is to be done with those that overlap.

    Returns:
        Numbers from 0; -1 for entities that are left out.
    """
    if nested == "keep":
        return layers_of(spans)
    if nested == "outermost":
        return [0 if layer == 0 else _LEFT_OUT for layer in layers_of(spans)]
    if nested == "innermost":
        layers = [_LEFT_OUT] * len(spans)
        inner = [at for at, one in enumerate(spans) if not any(_lies_in(other, one) for other in spans)]
        for at, layer in zip(inner, layers_of([spans[at] for at in inner]), strict=True):
            layers[at] = 0 if layer == 0 else _LEFT_OUT
        return layers
    return [0] * len(spans)


def clash_of(spans: Sequence[_Span]) -> tuple[int, int] | None:
    """The places of the first two spans that share words, the one that comes first behind; None where none do."""
    for place, (start, end) in enumerate(spans):
        for before, (first, last) in enumerate(spans[:place]):
            if max(start, first) < min(end, last):
                return place, before
    return None


def check_overlaps(
    entities: Sequence[tuple[int, int, str]],
    row: int = -1,
    *,
    row_id: str | None = None,
    column: str = schema.SOURCE_ENTITIES,
    spans: Sequence[_Span] | None = None,
) -> None:
    """That the entities of a sentence share no words.

    Args:
        entities: `(start, end, label)`.
        row: of the sentence, for the error.
        row_id: likewise.
        column: likewise.
        spans: the words of the entities, where these are characters.

    Raises:
        DataError: two do.
    """
    clash = clash_of([(start, end) for start, end, _ in entities] if spans is None else spans)
    if clash is not None:
        second, first = (_shown(entities[place]) for place in clash)
        raise DataError(row, column, second, f"shares words with {first}; {_REMEDY}", row_id=row_id)


def choose_nested(table: pa.Table, nested: Nested) -> tuple[pa.Table, int]:
    """A table whose source entities do not overlap, or all of them with `keep` and `compete`, and how many it lacks.

    Args:
        table: with `source_entities`.
        nested: `error`, `outermost` or `innermost` of those that overlap, or `keep` or `compete`.

    Raises:
        DataError: with `error`, the first row that has some.
    """
    rows = [] if nested in {"keep", "compete"} else overlapping_rows(table[schema.SOURCE_ENTITIES])
    if not rows:
        return table, 0
    column = one_array(table[schema.SOURCE_ENTITIES])
    values = pylist(column)
    if nested == "error":
        row_id = str(table[schema.ID][rows[0]].as_py()) if schema.ID in table.schema.names else None
        check_overlaps([_triple(one) for one in values[rows[0]]], rows[0], row_id=row_id)
    left_out = 0
    for row in rows:
        layers = layers_for([_span(one) for one in values[row]], nested)
        kept = [one for one, layer in zip(values[row], layers, strict=True) if layer == 0]
        left_out += len(values[row]) - len(kept)
        values[row] = kept
    place = table.schema.names.index(schema.SOURCE_ENTITIES)
    return table.set_column(place, schema.SOURCE_ENTITIES, pa.array(values, column.type)), left_out


def _lies_in(inner: _Span, outer: _Span) -> bool:
    """Whether a span is a part of a longer one."""
    return outer[0] <= inner[0] and inner[1] <= outer[1] and inner[1] - inner[0] < outer[1] - outer[0]


def _span(entity: dict[str, Any]) -> _Span:
    return entity["start"], entity["end"]


def _triple(entity: dict[str, Any]) -> tuple[int, int, str]:
    return entity["start"], entity["end"], entity["label"]


def _shown(entity: tuple[int, int, str]) -> str:
    start, end, label = entity
    return f"{label} [{start}, {end})"


def merged_status(statuses: Sequence[str], *, has_entities: bool) -> str:
    """The status of a row of which each layer has one.

    Args:
        statuses: of the layers.
        has_entities: whether one of them has an entity.

    Returns:
        The worst one; why a layer has no entities counts where none has some.
    """
    dropped = next((one for one in statuses if one.startswith(schema.ROW_DROPPED)), None)
    if dropped is not None:
        return dropped
    odd = [one for one in statuses if one != _OK and one not in _NOTHING]
    worst = [one for one in _WORST if one in odd] or odd
    nothing = [] if has_entities else [one for one in _NOTHING if one in statuses]
    return next(iter([*worst, *nothing]), _OK)


def project_layers(rows: Any, project: Callable[[Any], Any], nested: Nested = "keep") -> Any:
    """Project rows whose source entities may overlap, those of each layer by themselves.

    Args:
        rows: a record batch or table with `source_entities`.
        project: makes `entities` and `labels`, as a `Projector` does, of rows whose entities do not overlap.
        nested: `keep`, or `outermost` or `innermost`, which leave others out.

    Returns:
        What `project` gives; `entities` has those of all layers, `labels` the first one's, in which longer entities
        are, and `status` is the `merged_status`. A row that a filter has dropped for what is in one layer goes as a
        whole.
    """
    odd = overlapping_rows(rows.column(schema.SOURCE_ENTITIES))
    if not odd:
        return project(rows)
    original = rows.column(schema.SOURCE_ENTITIES)
    values = pylist(one_array(original))
    layers = {row: layers_for([_span(one) for one in values[row]], nested) for row in odd}
    found = _put(project(_only(rows, layers, 0)), schema.SOURCE_ENTITIES, original)
    merged = {name: pylist(one_array(found.column(name))) for name in _MERGED if name in found.schema.names}
    _rename_sources(merged, dict(zip(odd, odd, strict=True)), layers, 0)
    first = pylist(one_array(found.column(schema.STATUS)))
    statuses = {row: [first[row]] for row in odd}
    for layer in range(1, 1 + max(max(one) for one in layers.values())):
        deep = [row for row in odd if layer in layers[row]]
        below = _only(rows, layers, layer).take(pa.array(deep, pa.int64()))
        projected = project(below)
        more = {name: pylist(one_array(projected.column(name))) for name in merged}
        _rename_sources(more, dict(enumerate(deep)), layers, layer)
        for name, lists in more.items():
            for place, row in enumerate(deep):
                merged[name][row] = [*(merged[name][row] or ()), *(lists[place] or ())]
        for row, status in zip(deep, pylist(one_array(projected.column(schema.STATUS))), strict=True):
            statuses[row].append(status)
    for row, its in statuses.items():
        first[row] = merged_status(its, has_entities=bool(merged[schema.ENTITIES][row]))
    _drop_rows(merged, first, odd)
    for name, lists in (*merged.items(), (schema.STATUS, first)):
        found = _put(found, name, pa.array(lists, found.schema.field(name).type))
    return found if schema.DROPPED not in merged else _without_labels(found, odd)


def _drop_rows(columns: dict[str, list[Any]], statuses: Sequence[str | None], rows: Sequence[int]) -> None:
    """In place: rows that a filter has dropped for what is in one layer lose the entities of the others as well."""
    for row in rows:
        status = statuses[row]
        if status is not None and status.startswith(schema.ROW_DROPPED):
            reason = status.removeprefix(schema.ROW_DROPPED)
            left = [{**one, "reason": reason} for one in columns[schema.ENTITIES][row]]
            columns[schema.DROPPED][row] = [*(columns[schema.DROPPED][row] or ()), *left]
            columns[schema.ENTITIES][row] = []


def _without_labels(rows: Any, places: Sequence[int]) -> Any:
    """Rows of which those that are dropped have no labels but `O`."""
    are_dropped = pylist(schema.is_row_dropped(one_array(rows.column(schema.STATUS))))
    if not any(are_dropped[row] for row in places):
        return rows
    labels = pylist(one_array(rows.column(schema.LABELS)))
    for row in places:
        if are_dropped[row]:
            labels[row] = [OUTSIDE] * len(labels[row] or ())
    return _put(rows, schema.LABELS, pa.array(labels, rows.schema.field(schema.LABELS).type))


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
