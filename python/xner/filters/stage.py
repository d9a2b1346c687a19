"""The stage that filters, and what becomes of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner._support.arguments import choose, several
from xner._support.arrow import joined_lists, to_array, with_columns
from xner._support.progress import Reporter, silent
from xner._support.stages import identity_of, run_stage
from xner.errors import OptionError
from xner.filters.base import DropRow, Filter
from xner.filters.catalogue import parse, to_text
from xner.filters.entities import Entities, Flags

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xner._support.arrow import Rows

__all__ = ["Filters"]


class Filters:
    """A stage that drops and changes projected entities.

    Filters are applied in the order given; each sees what those before it left.

    Args:
        filters: filters, or their texts as `parse` reads them.
        drop: `entity` drops the entities that do not pass, `row` all entities of their rows, as if every filter were in
            a `DropRow`.

    Attributes:
        filters: what is applied.
    """

    writes: Final = (schema.ENTITIES, schema.LABELS, schema.STATUS, schema.DROPPED, schema.ADJUSTED)

    def __init__(self, filters: Iterable[str | Filter], *, drop: Literal["entity", "row"] = "entity") -> None:
        made = [parse(one) if isinstance(one, str) else one for one in several("filters", filters, "filters")]
        if others := [one for one in made if not hasattr(one, "apply")]:
            raise OptionError(f"filters: {others[0]!r} is no filter, and no text of one")
        if choose("drop", drop, {"entity": False, "row": True}):
            made = [one if isinstance(one, DropRow) else DropRow(one) for one in made]
        self.filters: Sequence[Filter] = tuple(made)

    @property
    def signature(self) -> str:
        """What tells in one line how results were filtered: `filter:length-ratio=0.8|filter:one-word:row`."""
        return "|".join(f"filter:{to_text(one)}" for one in self.filters)

    @property
    def identity(self) -> str:
        """Tells these filters from all others."""
        return identity_of("filters", [to_text(one) for one in self.filters])

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that the filters look at."""
        names = [schema.TOKENS, schema.SOURCE_ENTITIES, schema.ENTITIES]
        return tuple(dict.fromkeys(names + [name for one in self.filters for name in one.columns]))

    def __repr__(self) -> str:
        return f"Filters({[to_text(one) for one in self.filters]})"

    def __call__(self, rows: Rows, *, progress: Reporter = silent) -> Rows:
        """Filter; every row stays where it is.

        Args:
            rows: projected: `tokens`, `source_entities`, `entities`, and `links` or `source_tokens` for filters that
                look at them.
            progress: told `filter`, the rows done, and their number.

        Returns:
            The same kind of object with `entities`, `labels` and `status` as the filters left them, and two columns of
            what they did, added to what they hold already: `dropped`, the entities that are gone, and `adjusted`,
            those whose span was changed, both as they were before, with the filter's name as the reason. The status is
            `filtered` where all entities were dropped one by one, and `row_dropped:` with the filter's name where
            the row went as a whole, which then is the reason of the entities that passed as well.

        Raises:
            DataError: an entity that the row's sentences do not have.
            Error: columns missing or of another type.
        """
        return run_stage(self._filter, rows, progress=progress, what="filter")

    def _filter(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        schema.require_columns(batch.schema, self.reads, "filtering")
        entities = Entities(schema.conform(batch, self.reads))
        had_some = entities.counts() > 0
        for one in self.filters:
            one.apply(entities)
        return _with_results(batch, entities, had_some & (entities.counts() == 0))


def _with_results(batch: pa.RecordBatch, entities: Entities, emptied: Flags) -> pa.RecordBatch:
    """The batch with what the filters left; rows that they did not touch keep their labels and status."""
    before = schema.conform(batch, [name for name in Filters.writes if name in batch.schema.names])
    columns = {
        schema.ENTITIES: entities.entity_lists(),
        schema.LABELS: entities.label_lists(),
        schema.STATUS: pa.array(["ok"] * batch.num_rows, pa.string()),
        schema.DROPPED: entities.record_lists(entities.dropped),
        schema.ADJUSTED: entities.record_lists(entities.adjusted),
    }
    if schema.LABELS in before.schema.names:
        changed = entities.rows_of(entities.dropped + entities.adjusted)
        labels = before.column(schema.LABELS).cast(schema.WORDS_TYPE)
        rows = np.arange(batch.num_rows) + np.where(changed, batch.num_rows, 0)
        columns[schema.LABELS] = pa.concat_arrays([labels, columns[schema.LABELS]]).take(to_array(rows))
    if schema.STATUS in before.schema.names:
        columns[schema.STATUS] = before.column(schema.STATUS).cast(pa.string())
    columns[schema.STATUS] = _status(columns[schema.STATUS], entities, emptied)
    for name in (schema.DROPPED, schema.ADJUSTED):
        if name in before.schema.names:
            columns[name] = joined_lists(before.column(name).cast(schema.FILTER_RECORDS_TYPE), columns[name])
    return with_columns(batch, columns)


def _status(before: pa.Array[Any], entities: Entities, emptied: Flags) -> pa.Array[Any]:
    """What is said of each row; the first filter that dropped a row is the one that is named."""
    was_dropped = schema.is_row_dropped(before)
    status = pc.if_else(pa.array(emptied), schema.FILTERED, before)
    for rows, name in reversed(entities.row_drops):
        status = pc.if_else(pa.array(rows), schema.ROW_DROPPED + name, status)
    merged: pa.Array[Any] = pc.if_else(was_dropped, before, status).dictionary_encode().cast(schema.STATUS_TYPE)
    return merged
