"""Fields of a column's records that files need not have: scores, margins, and the entities they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner._layouts import plain
from xner._support.arrow import flattened, is_lists, with_columns
from xner._support.sentences import with_values

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OPTIONAL_FIELDS", "with_optional_fields"]

_OF_ENTITIES: Final = frozenset({"score", "margin", "source"})

OPTIONAL_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    schema.LINKS: frozenset({"score"}),
    schema.ENTITIES: _OF_ENTITIES,
    schema.DROPPED: _OF_ENTITIES,
    schema.ADJUSTED: _OF_ENTITIES,
    schema.MARKED_ENTITIES: _OF_ENTITIES,
    schema.REVIEWED_ENTITIES: _OF_ENTITIES,
}
"""By column; they are null where a row does not have them."""


def with_optional_fields(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch whose records have all fields of the contract that need not be there; those of links stay out."""
    added: dict[str, pa.Array[Any]] = {}
    for name, optional in OPTIONAL_FIELDS.items():
        if name == schema.LINKS or name not in batch.schema.names:
            continue
        kind = batch.schema.field(name).type
        if not is_lists(kind) or not pa.types.is_struct(kind.value_type):
            continue
        there = [field.name for field in kind.value_type]
        wanted: Any = schema.COLUMN_TYPES[name].value_type  # type: ignore[attr-defined]  # of lists, all of them
        missing = [field for field in wanted if field.name in optional and field.name not in there]
        if missing:
            lists = plain(batch.column(name))
            records = flattened(lists)
            columns = [pc.struct_field(records, one) for one in there]
            columns += [pa.nulls(len(records), field.type) for field in missing]
            names = [*there, *(field.name for field in missing)]
            added[name] = with_values(lists, pa.StructArray.from_arrays(columns, names=names))
    return with_columns(batch, added)
