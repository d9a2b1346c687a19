"""Rows of a table of sentences that are wrong in themselves: found, named, and emptied where they are to be skipped."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner._layouts import plain
from xner._support.arrow import flattened, is_lists, one_array, pylist, with_columns
from xner._support.progress import logger
from xner._support.records import entity_tuples
from xner.errors import DataError
from xner.labels.tags import check_classes, rows_of_no_class

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable, Iterator

__all__ = ["WrongRows", "check_lengths", "wrong_classes", "wrong_rows"]

_WORDS = (schema.TOKENS, schema.SOURCE_TOKENS)
_LABELS = (schema.LABELS, schema.GOLD_LABELS)
_ENTITIES = (schema.ENTITIES, schema.SOURCE_ENTITIES)


class WrongRows:
    """What to do with wrong rows: raise at the first one, or take note of all.

    Args:
        skips: whether they are noted.
    """

    def __init__(self, *, skips: bool = False) -> None:
        self.skips = skips
        self._errors: dict[int, DataError] = {}
        self._rows_before = 0
        self._count = 0
        self._first: DataError | None = None

    def begin(self, rows_before: int) -> None:
        """Go on with the next piece of a file that is read piece by piece.

        Args:
            rows_before: how many rows come before it.
        """
        self._errors = {}
        self._rows_before = rows_before

    @property
    def errors(self) -> list[DataError]:
        """What is wrong with the rows that were noted."""
        return [self._errors[row] for row in sorted(self._errors)]

    def take(self, errors: Iterable[DataError]) -> None:
        """Note what is wrong with rows, of each row the first thing.

        Raises:
            DataError: the first of them, where rows are not to be skipped.
        """
        for error in errors:
            if not self.skips:
                raise error
            self._errors.setdefault(error.row, error)

    def emptied(self, table: pa.Table) -> pa.Table:
        """The table whose wrong rows have neither labels nor entities, and no words where one is missing."""
        if not self._errors:
            return table
        columns: dict[str, pa.Array[Any]] = {}
        for name in table.schema.names:
            if name in {*_LABELS, *_ENTITIES}:
                values = pylist(table[name])
                for row in self._errors:
                    values[row] = None
            elif name in _WORDS:
                values = [[] if words is None or None in words else words for words in pylist(table[name])]
            else:
                continue
            columns[name] = pa.array(values, table.schema.field(name).type)
        return with_columns(table, columns)

    def problems(self, rows: int) -> pa.Array[Any] | None:
        """A column that says what is wrong with each row of the file, or the piece; None where none are skipped.

        Args:
            rows: how many there are; of good ones it has nulls.
        """
        if not self.skips:
            return None
        if self._errors:
            self._count += len(self._errors)
            self._first = self._first or self._errors[min(self._errors)].behind(self._rows_before)
        texts = {row: str(DataError(-1, one.column, one.value, one.reason)) for row, one in self._errors.items()}
        return pa.array([texts.get(row) for row in range(rows)], pa.string())

    def tell(self, path: str | os.PathLike[str]) -> None:
        """Warn of the rows for which `problems` were asked, if some are wrong: how many, and the first one."""
        if self._count:
            logger.warning("%s: %d rows are wrong and skipped; the first one is %s", path, self._count, self._first)


def wrong_rows(table: pa.Table, *, known: Collection[str] = (), without_words: bool = False) -> Iterator[DataError]:
    """What is wrong with rows: words or labels that are missing, labels of another number, entities without a class.

    Args:
        table: of sentences, in the usual columns.
        known: names of classes that are right, whatever they look like.
        without_words: whether a missing list of words, which not all formats can write, is wrong, too.
    """
    lists = [name for name in (*_WORDS, *_LABELS) if name in table.schema.names and is_lists(table[name].type)]
    yield from chain.from_iterable(_missing(table, name) for name in lists)
    yield from _wrong_lengths(table)
    for name in _WORDS if without_words else ():
        if name in table.schema.names:
            for row in pylist(pc.indices_nonzero(pc.is_null(table[name]))):
                yield DataError(row, name, "null", "there are no words", row_id=_id_of(table, row))
    for name in _ENTITIES:
        if name in table.schema.names:
            yield from wrong_classes(table, table[name], name, known=known)


def check_lengths(table: pa.Table) -> None:
    """That rows have as many labels as words.

    Raises:
        DataError: one has not.
    """
    WrongRows().take(_wrong_lengths(table))


def _missing(table: pa.Table, name: str) -> Iterator[DataError]:
    """Rows of which a word, or a label, is missing."""
    column = plain(one_array(table[name]))
    flat = flattened(column)
    if not flat.null_count:
        return
    what = "word" if name in _WORDS else "label"
    places = pc.indices_nonzero(pc.is_null(flat))
    for row in sorted({int(one) for one in pc.list_parent_indices(column).take(places).to_numpy()}):
        place = column[row].as_py().index(None)
        yield DataError(row, name, "null", f"{what} {place} is missing", row_id=_id_of(table, row))


def _wrong_lengths(table: pa.Table) -> Iterator[DataError]:
    names = table.schema.names
    if schema.TOKENS not in names:
        return
    words = pc.list_value_length(table[schema.TOKENS])
    for name in _LABELS:
        if name not in names or not is_lists(table[name].type):
            continue
        found = pc.list_value_length(table[name])
        for row in pylist(pc.indices_nonzero(pc.fill_null(pc.not_equal(found, words), False))):
            reason = f"the row has {words[row].as_py()} words"
            yield DataError(row, name, f"{found[row].as_py()} labels", reason, row_id=_id_of(table, row))


def wrong_classes(
    table: pa.Table,
    entities: pa.ChunkedArray[Any],
    column: str,
    *,
    blanks: bool = True,
    known: Collection[str] = (),
) -> Iterator[DataError]:
    """Rows in which an entity has a name of a class that is hardly one; see `class_problem`.

    Args:
        table: of which the entities are.
        entities: a list a row.
        column: their name.
        blanks: whether names may have blanks within.
        known: names that are right, whatever they look like.
    """
    lists = plain(one_array(entities))
    for row in rows_of_no_class(lists, blanks=blanks, known=known):
        found = entity_tuples(column, lists[row])
        try:
            check_classes(found, column, row, blanks=blanks, known=known, remedy=_REMEDY, row_id=_id_of(table, row))
        except DataError as error:
            yield error


_REMEDY = "; `class_map` renames classes"


def _id_of(table: pa.Table, row: int) -> str | None:
    return str(table[schema.ID][row].as_py()) if schema.ID in table.schema.names else None
