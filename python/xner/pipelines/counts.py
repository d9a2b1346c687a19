"""What there is to count of projected rows: of all of them at once, or piece by piece."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass, field
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner._support.arrow import occurrences, one_array
from xner._support.overlaps import overlapping_rows
from xner.filters.summary import FilterCounts, count
from xner.pipelines.summaries import StatusCounts, add_counts, dropped_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RunCounts"]


@dataclass(slots=True)
class RunCounts:
    """Counts of projected rows.

    Attributes:
        rows: how many there are.
        entities: of the source side.
        projected: how many of them were projected and kept.
        overlapping: rows whose projected entities share words.
        dropped: rows that files of text lack: those that filters dropped, or that nobody has labelled.
        wordless: rows without target words.
        statuses: of rows.
        classes: of source entities.
        filters: what each filter did, by its name.
        translations: statuses of translations, where there are any.
        markers: what became of markers, likewise.
    """

    rows: int = 0
    entities: int = 0
    projected: int = 0
    overlapping: int = 0
    dropped: int = 0
    wordless: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)
    filters: dict[str, FilterCounts] = field(default_factory=dict)
    translations: StatusCounts | None = None
    markers: StatusCounts | None = None

    @classmethod
    def of(cls, table: pa.Table, filters: Iterable[str] = ()) -> Self:
        """Those of some rows.

        Args:
            table: projected.
            filters: names of filters that are counted also where they did nothing.
        """
        names = table.schema.names
        sources = one_array(table.column(schema.SOURCE_ENTITIES))
        found = one_array(table.column(schema.ENTITIES))
        counts = cls(
            rows=table.num_rows,
            entities=pc.sum(pc.list_value_length(sources)).as_py() or 0,
            projected=_distinct_sources(found),
            overlapping=len(overlapping_rows(found)),
            dropped=dropped_rows(table),
            wordless=pc.sum(pc.equal(pc.list_value_length(table.column(schema.TOKENS)), pa.scalar(0))).as_py() or 0,
            statuses=occurrences(table.column(schema.STATUS)),
            classes=occurrences(pc.struct_field(pc.list_flatten(sources), "label")),
            filters=count(table, filters),
        )
        if schema.TRANSLATION_STATUS in names:
            counts.translations = StatusCounts.of(table.column(schema.TRANSLATION_STATUS))
        if schema.MARKER_PROBLEM in names:
            counts.markers = StatusCounts.of(table.column(schema.MARKER_PROBLEM).fill_null(pa.scalar("ok")))
        return counts

    def add(self, other: RunCounts) -> None:
        """Add those of the rows that follow."""
        for name in ("rows", "entities", "projected", "overlapping", "dropped", "wordless"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        add_counts(self.statuses, other.statuses)
        add_counts(self.classes, other.classes)
        for name, found in other.filters.items():
            known = self.filters.get(name, FilterCounts())
            self.filters[name] = FilterCounts(*map(sum, zip(astuple(known), astuple(found), strict=True)))
        for name in ("translations", "markers"):
            mine, its = getattr(self, name), getattr(other, name)
            if mine is None:
                setattr(self, name, its)
            elif its is not None:
                mine.add(its)

    def to_dict(self) -> dict[str, Any]:
        """The counts in the types of JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The counts of which `to_dict` has given the values."""
        filters = {name: FilterCounts(**found) for name, found in values["filters"].items()}
        several = {name: None if values[name] is None else StatusCounts(**values[name]) for name in _SEVERAL}
        return cls(**{**values, "filters": filters, **several})


def _distinct_sources(entities: pa.Array[Any]) -> int:
    """How many source entities some projected one names."""
    pairs = pa.table(
        {"row": pc.list_parent_indices(entities), "source": pc.struct_field(pc.list_flatten(entities), "source")}
    )
    if not pairs["source"].null_count:
        row, source = (pairs[name].to_numpy() for name in pairs.schema.names)
        if ((row[1:] > row[:-1]) | (source[1:] > source[:-1])).all():  # in order, as nearly always
            return pairs.num_rows
    return int(pairs.group_by(["row", "source"], use_threads=False).aggregate([]).num_rows)


_SEVERAL = ("translations", "markers")
