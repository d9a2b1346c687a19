"""What people have decided about rows, kept through a projection and remembered for others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from xner import labels, schema
from xner._support.arrow import one_array, with_columns
from xner.errors import DataError, Error
from xner.translation.stages import outer_entities

if TYPE_CHECKING:
    from xner._support.arrow import ArrowRows
    from xner.projection.memory import Memory

_REMEDY = "corrections are of the rows that were exported: project those, or export and correct these"

__all__ = ["adopt_reviewed", "remember_reviewed", "with_reviewed"]


def with_reviewed(table: pa.Table, corrections: pa.Table, name: str) -> pa.Table:
    """A table to be projected, with what people have decided about some of its rows.

    Args:
        table: `tokens`, and `id` where rows are to be found by that.
        corrections: as `xner.evaluation.review.apply_corrections` gives it: `tokens`, `entities` and `reviewed`. Its
            rows are found by `id` where both tables have that, else by their numbers.
        name: of the corrections, for messages.

    Returns:
        The table with the column `reviewed_entities`, null in rows that nobody has looked at.

    Raises:
        Error: columns are missing, no row was reviewed, or a reviewed row is not there.
        DataError: a row has other words than those that were reviewed, or a row of one id is there twice.
    """
    schema.require_columns(
        corrections.schema,
        [schema.TOKENS, schema.ENTITIES, schema.REVIEWED],
        f"'{name}', which is to be a table of `xner import` (Parquet, Arrow, JSONL),",
    )
    schema.require_columns(table.schema, [schema.TOKENS], "a projection with corrections")
    by_id = schema.ID in table.schema.names and schema.ID in corrections.schema.names
    rows = _numbers(table) if by_id else {str(row): row for row in range(table.num_rows)}
    reviewed = corrections.filter(corrections.column(schema.REVIEWED).fill_null(pa.scalar(False)))
    if not reviewed.num_rows:
        raise Error(f"'{name}': nobody has looked at any row; `xner import` says which were")
    numbers = pc.indices_nonzero(corrections.column(schema.REVIEWED).fill_null(pa.scalar(False)))
    names = reviewed.column(schema.ID).cast(pa.string()).to_pylist() if by_id else list(map(str, numbers.to_pylist()))
    found: list[Any] = [None] * table.num_rows
    tokens = table.column(schema.TOKENS)
    for row_name, words, entities in zip(
        names, reviewed.column(schema.TOKENS).to_pylist(), reviewed.column(schema.ENTITIES).to_pylist(), strict=True
    ):
        row = rows.get(str(row_name))
        if row is None:
            raise Error(f"'{name}': the row {row_name} was reviewed, and the table has no such row; {_REMEDY}")
        if tokens[row].as_py() != words:
            shown = " ".join(words or ())[:60]
            reason = f"'{name}' has these words, and the table others; {_REMEDY}"
            raise DataError(row, schema.TOKENS, repr(shown), reason)
        if found[row] is not None:
            raise DataError(row, schema.ID, repr(row_name), f"'{name}' has two rows of this id")
        found[row] = entities or []
    return with_columns(table, {schema.REVIEWED_ENTITIES: pa.array(found, schema.ENTITIES_TYPE)})


def _numbers(table: pa.Table) -> dict[str, int]:
    """The numbers of rows by their ids."""
    found: dict[str, int] = {}
    for row, one in enumerate(table.column(schema.ID).cast(pa.string()).to_pylist()):
        if found.setdefault(str(one), row) != row:
            raise DataError(row, schema.ID, repr(one), f"row {found[str(one)]} has this id as well")
    return found


def adopt_reviewed(rows: ArrowRows) -> ArrowRows:
    """Take what people have decided instead of what was projected; other rows stay as they are.

    Args:
        rows: a projected record batch or table with `reviewed_entities`.

    Returns:
        The same kind of object with `reviewed` in place of that column. Rows that were reviewed have the status `ok`.
    """
    decided = one_array(rows.column(schema.REVIEWED_ENTITIES))
    is_reviewed = decided.is_valid()
    entities = pc.if_else(is_reviewed, decided, one_array(rows.column(schema.ENTITIES)).cast(schema.ENTITIES_TYPE))
    flat = [row or [] for row in outer_entities(decided).to_pylist()]
    own = labels.encode_batch(pa.array(flat, schema.ENTITIES_TYPE), one_array(rows.column(schema.TOKENS)))
    status = pc.if_else(is_reviewed, "ok", one_array(rows.column(schema.STATUS)).cast(pa.string()))
    columns: dict[str | pa.Field[Any], pa.Array[Any]] = {
        schema.ENTITIES: entities,
        schema.LABELS: pc.if_else(is_reviewed, own, one_array(rows.column(schema.LABELS)).cast(own.type)),
        schema.STATUS: status.dictionary_encode().cast(schema.STATUS_TYPE),
        schema.REVIEWED: is_reviewed,
    }
    return with_columns(rows.drop_columns([schema.REVIEWED_ENTITIES]), columns)


def remember_reviewed(memory: Memory, table: pa.Table) -> pa.Table:
    """Have a memory take in a projected table, its reviewed rows twice: what people say is more than what links say.

    Args:
        memory: of the corpus.
        table: projected, with `reviewed_entities`.

    Returns:
        What the memory has taken in, row by row: without entities of people's that project no source entity.
    """
    decided = [
        None if row is None else [one for one in row if one["source"] is not None]
        for row in table.column(schema.REVIEWED_ENTITIES).to_pylist()
    ]
    projections = {schema.REVIEWED_ENTITIES: pa.array(decided, schema.ENTITIES_TYPE)}
    projected = adopt_reviewed(with_columns(table, projections))
    memory.remember(projected)
    memory.remember(projected.filter(projected.column(schema.REVIEWED)))
    return projected
