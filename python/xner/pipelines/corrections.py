"""What people have decided about rows, kept through a projection and remembered for others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from xner import io, labels, schema
from xner._support.arrow import one_array, pylist, with_columns
from xner._support.phrases import of_normalization
from xner._support.pieces import PIECE_ROWS
from xner.errors import DataError, Error
from xner.translation.stages import outer_entities

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xner._support.arrow import ArrowRows

_REMEDY = "corrections are of the rows that were exported: project those, or export and correct these"

__all__ = ["Reviewed", "adopt_reviewed", "taken_in"]


@dataclass(slots=True)
class _Decision:
    """What people have decided about a row.

    Attributes:
        number: of the row in the file of corrections.
        name: its id, or its number where rows are found by that.
        words: that they have seen.
        entities: that they have left.
        row: where it is in the corpus; None where it was not found yet.
        is_other: whether it has other words there.
        other: what differs, if these look the same.
    """

    number: int
    name: str
    words: Any
    entities: list[Any]
    row: int | None = None
    is_other: bool = False
    other: str = ""


class Reviewed:
    """What people have decided about some rows of a corpus, which may come piece by piece.

    Args:
        file: that `xner import` has written, with `tokens`, `entities` and `reviewed`. Its rows are found by `id` where
            both sides have that, else by their numbers.

    Raises:
        Error: columns are missing, or no row was reviewed.
    """

    def __init__(self, file: str) -> None:
        self._file = file
        self._decisions: list[_Decision] = []
        self._has_ids = False
        first = 0
        for batch in io.iter_batches(file, batch_rows=PIECE_ROWS):
            schema.require_columns(
                batch.schema,
                [schema.TOKENS, schema.ENTITIES, schema.REVIEWED],
                f"'{file}', which is to be a table of `xner import` (Parquet, Arrow, JSONL),",
            )
            self._has_ids = schema.ID in batch.schema.names
            self._add(batch, first)
            first += batch.num_rows
        if not self._decisions:
            raise Error(f"'{file}': nobody has looked at any row; `xner import` says which were")

    def _add(self, batch: pa.RecordBatch, first: int) -> None:
        numbers = pc.indices_nonzero(batch.column(schema.REVIEWED).fill_null(pa.scalar(False)))
        reviewed = batch.take(numbers)
        ids = pylist(reviewed.column(schema.ID).cast(pa.string())) if self._has_ids else pylist(numbers)
        columns = (pylist(reviewed.column(name)) for name in (schema.TOKENS, schema.ENTITIES))
        for number, name, words, entities in zip(pylist(numbers), ids, *columns, strict=True):
            self._decisions.append(_Decision(first + number, str(name), words, entities or []))

    def find(self, tables: Iterable[pa.Table]) -> None:
        """Find the rows.

        Args:
            tables: all of the corpus, in order; have `tokens`, and `id` where rows are to be found by that.

        Raises:
            Error: a reviewed row is not there.
            DataError: a row has other words than those that were reviewed, or a row of one id is there twice.
        """
        first = 0
        for table in tables:
            schema.require_columns(table.schema, [schema.TOKENS], "a projection with corrections")
            if not (self._has_ids and schema.ID in table.schema.names):
                self._go_by_numbers()
            self._find(table, first)
            first += table.num_rows
        rows: set[int] = set()
        for one in self._decisions:
            if one.row is None:
                raise Error(
                    f"'{self._file}': the row {one.name} was reviewed, and the table has no such row; {_REMEDY}"
                )
            if one.is_other:
                shown = " ".join(one.words or ())[:60]
                reason = f"'{self._file}' has these words, and the table others{one.other or f'; {_REMEDY}'}"
                raise DataError(one.row, schema.TOKENS, repr(shown), reason)
            if one.row in rows:
                raise DataError(one.row, schema.ID, repr(one.name), f"'{self._file}' has two rows of this id")
            rows.add(one.row)

    def _go_by_numbers(self) -> None:
        self._has_ids = False
        for one in self._decisions:
            one.name = str(one.number)

    def _find(self, table: pa.Table, first: int) -> None:
        tokens = table.column(schema.TOKENS)
        for one, row in self._rows_of(table, first):
            if one.row is not None:
                raise DataError(first + row, schema.ID, repr(one.name), f"row {one.row} has this id as well")
            one.row = first + row
            words = tokens[row].as_py()
            one.is_other = words != one.words
            if one.is_other:
                one.other = of_normalization(
                    *(" ".join(word or "" for word in side or ()) for side in (words, one.words))
                )

    def _rows_of(self, table: pa.Table, first: int) -> Iterator[tuple[_Decision, int]]:
        """What was decided about rows of a table that begins at a row, each with its row there."""
        if not self._has_ids:
            numbers = range(first, first + table.num_rows)
            yield from ((one, one.number - first) for one in self._decisions if one.number in numbers)
            return
        by_name: dict[str, list[_Decision]] = {}
        for one in self._decisions:
            by_name.setdefault(str(one.name), []).append(one)
        ids = table.column(schema.ID).cast(pa.string())
        for row in pylist(pc.indices_nonzero(pc.is_in(ids, value_set=pa.array(by_name, pa.string())))):
            for one in by_name[str(ids[row].as_py())]:
                yield one, row

    def beside(self, table: pa.Table, first: int = 0) -> pa.Table:
        """A table to be projected, with what was decided about its rows, once these were found.

        Args:
            table: the corpus, or a piece of it.
            first: the number of its first row.

        Returns:
            The table with the column `reviewed_entities`, null in rows that nobody has looked at.
        """
        found: list[Any] = [None] * table.num_rows
        for one in self._decisions:
            if one.row is not None and 0 <= one.row - first < table.num_rows:
                found[one.row - first] = one.entities
        return with_columns(table, {schema.REVIEWED_ENTITIES: pa.array(found, schema.ENTITIES_TYPE)})


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


def taken_in(projected: pa.Table) -> list[pa.Table]:
    """What a memory takes in of a projected table.

    Args:
        projected: with `reviewed_entities` where people have looked at rows.

    Returns:
        The table, and its reviewed rows once more: what people say is more than what links say. Entities of people's
        that project no source entity are left out.
    """
    if schema.REVIEWED_ENTITIES not in projected.schema.names:
        return [projected]
    decided = [
        None if row is None else [one for one in row if one["source"] is not None]
        for row in pylist(projected.column(schema.REVIEWED_ENTITIES))
    ]
    adopted = adopt_reviewed(
        with_columns(projected, {schema.REVIEWED_ENTITIES: pa.array(decided, schema.ENTITIES_TYPE)})
    )
    return [adopted, adopted.filter(adopted.column(schema.REVIEWED))]
